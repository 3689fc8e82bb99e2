package dev.haq.quantizer.eval;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToLongFunction;

/** A map that forgets what was least recently used. Safe for use by many threads. */
final class LruCache<K, V> {
  private final Map<K, V> entries = new LinkedHashMap<>(16, 0.75f, true);
  private final long capacity;
  private final ToLongFunction<V> weight;
  private long weights;

  /**
   * @param capacity how many entries are kept, at least 1
   */
  LruCache(int capacity) {
    this(capacity, entry -> 1);
  }

  /**
   * @param capacity the most that the weights of all entries add up to; a heavier entry is kept
   *     alone, until the next comes
   * @param weight of an entry, always the same
   */
  LruCache(long capacity, ToLongFunction<V> weight) {
    this.capacity = capacity;
    this.weight = weight;
  }

  synchronized Optional<V> get(K key) {
    return Optional.ofNullable(entries.get(key));
  }

  /** Keeps {@code value} unless the key is taken; answers what is kept. */
  synchronized V putIfAbsent(K key, V value) {
    V known = entries.get(key);
    if (known != null) {
      return known;
    }
    entries.put(key, value);
    weights += weight.applyAsLong(value);
    Iterator<V> eldest = entries.values().iterator();
    while (weights > capacity && entries.size() > 1) {
      weights -= weight.applyAsLong(eldest.next());
      eldest.remove();
    }
    return value;
  }
}
