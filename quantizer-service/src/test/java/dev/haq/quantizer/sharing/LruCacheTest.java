package dev.haq.quantizer.sharing;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Optional;
import org.junit.jupiter.api.Test;

final class LruCacheTest {
  private final LruCache<String, Integer> cache = new LruCache<>(10, Integer::longValue);

  @Test
  void whatWasLeastRecentlyUsedGoes() {
    cache.putIfAbsent("a", 4);
    cache.putIfAbsent("b", 5);
    cache.get("a");
    cache.putIfAbsent("c", 6);
    assertEquals(Optional.of(4), cache.get("a"));
    assertEquals(Optional.empty(), cache.get("b"));
    assertEquals(Optional.of(6), cache.get("c"));
  }

  @Test
  void anEntryHeavierThanAllIsKeptAloneUntilTheNextComes() {
    cache.putIfAbsent("light", 2);
    assertEquals(11, cache.putIfAbsent("heavy", 11));
    assertEquals(Optional.empty(), cache.get("light"));
    assertEquals(11, cache.putIfAbsent("heavy", 12));
    cache.putIfAbsent("light", 2);
    assertEquals(Optional.empty(), cache.get("heavy"));
    cache.putIfAbsent("other", 8);
    assertEquals(Optional.of(2), cache.get("light"));
    assertEquals(Optional.of(8), cache.get("other"));
  }

  @Test
  void entriesThatAreCountedStayAtTheirCapacity() {
    LruCache<Integer, String> counted = new LruCache<>(1);
    counted.putIfAbsent(1, "one");
    counted.putIfAbsent(2, "two");
    assertEquals(Optional.empty(), counted.get(1));
    assertEquals(Optional.of("two"), counted.get(2));
  }

  @Test
  void aHeavyEntryTakesThePlaceOfAsManyAsItNeeds() {
    LruCache<String, Integer> both = new LruCache<>(3, 10, Integer::longValue);
    both.putIfAbsent("a", 1);
    both.putIfAbsent("b", 1);
    both.putIfAbsent("c", 1);
    both.putIfAbsent("d", 1);
    assertEquals(Optional.empty(), both.get("a"));
    both.putIfAbsent("heavy", 9);
    assertEquals(Optional.empty(), both.get("b"));
    assertEquals(Optional.empty(), both.get("c"));
    assertEquals(Optional.of(1), both.get("d"));
  }
}
