package dev.haq.quantizer.sharing;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;

/** A map that forgets what was least recently used. Safe for use by many threads. */
public final class LruCache<K, V> {
  private final Map<K, V> entries = new LinkedHashMap<>(16, 0.75f, true);
  private final int most;
  private final long capacity;
  private final ToLongFunction<V> weight;
  private long weights;

  /**
   * @param most how many entries are kept, at least 1
   */
  public LruCache(int most) {
    this(most, Long.MAX_VALUE, entry -> 0);
  }

  /**
   * @param capacity the most that the weights of all entries add up to; a heavier entry is kept
   *     alone, until the next comes
   * @param weight of an entry, always the same
   */
  public LruCache(long capacity, ToLongFunction<V> weight) {
    this(Integer.MAX_VALUE, capacity, weight);
  }

  /** Bounded in both. */
  public LruCache(int most, long capacity, ToLongFunction<V> weight) {
    this.most = most;
    this.capacity = capacity;
    this.weight = weight;
  }

  public synchronized Optional<V> get(K key) {
    return Optional.ofNullable(entries.get(key));
  }

  /**
   * Forgets what is kept under some keys.
   *
   * @return whether there was any
   */
  public synchronized boolean removeIf(Predicate<K> unwanted) {
    int before = entries.size();
    Iterator<Map.Entry<K, V>> all = entries.entrySet().iterator();
    while (all.hasNext()) {
      Map.Entry<K, V> entry = all.next();
      if (unwanted.test(entry.getKey())) {
        weights -= weight.applyAsLong(entry.getValue());
        all.remove();
      }
    }
    return entries.size() < before;
  }

  /** Keeps {@code value} unless the key is taken; answers what is kept. */
  public synchronized V putIfAbsent(K key, V value) {
    V known = entries.get(key);
    if (known != null) {
      return known;
    }
    entries.put(key, value);
    weights += weight.applyAsLong(value);
    Iterator<V> eldest = entries.values().iterator();
    while ((entries.size() > most || weights > capacity) && entries.size() > 1) {
      weights -= weight.applyAsLong(eldest.next());
      eldest.remove();
    }
    return value;
  }
}
