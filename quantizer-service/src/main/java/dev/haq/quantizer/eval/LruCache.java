package dev.haq.quantizer.eval;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** A map that forgets what was least recently used. Safe for use by many threads. */
final class LruCache<K, V> {
  private final Map<K, V> entries;

  /**
   * @param capacity how many entries are kept, at least 1
   */
  LruCache(int capacity) {
    this.entries =
        new LinkedHashMap<>(16, 0.75f, true) {
          @Override
          protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
            return size() > capacity;
          }
        };
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
    return value;
  }
}
