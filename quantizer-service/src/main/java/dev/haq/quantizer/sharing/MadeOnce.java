package dev.haq.quantizer.sharing;

import dev.haq.model.HaqException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * What takes long to make and is kept: callers that want the same wait for the one that makes it,
 * those that want something else do not. Safe for use by many threads.
 */
public final class MadeOnce<K, V> {
  private final LruCache<K, V> kept;
  private final Line line;
  private final Map<K, CountDownLatch> underWay = new ConcurrentHashMap<>();

  /**
   * @param capacity how many are kept, at least 1
   */
  public MadeOnce(int capacity) {
    this(new LruCache<>(capacity));
  }

  /**
   * @param kept where what was made is kept; others may put it there too
   */
  public MadeOnce(LruCache<K, V> kept) {
    this(kept, new Line(Integer.MAX_VALUE, "calls wait"));
  }

  /**
   * @param kept where what was made is kept; others may put it there too
   * @param line of those who wait for others to make it
   */
  public MadeOnce(LruCache<K, V> kept, Line line) {
    this.kept = kept;
    this.line = line;
  }

  /** Whether something is kept under a key. */
  public boolean has(K key) {
    return kept.get(key).isPresent();
  }

  /**
   * Forgets what is kept under some keys; what is being made is kept nevertheless.
   *
   * @return whether there was any
   */
  public boolean removeIf(Predicate<K> unwanted) {
    return kept.removeIf(unwanted);
  }

  /**
   * @param make may fail, as when its own caller leaves; then the next in line makes it
   * @throws HaqException CANCELLED, BUSY when the line is too long, and what {@code make} throws
   */
  public V get(K key, Supplier<V> make, BooleanSupplier cancelled) {
    while (true) {
      Optional<V> known = kept.get(key);
      if (known.isPresent()) {
        return known.get();
      }
      CountDownLatch mine = new CountDownLatch(1);
      CountDownLatch others = underWay.putIfAbsent(key, mine);
      if (others != null) {
        line.await(millis -> others.await(millis, TimeUnit.MILLISECONDS), cancelled);
        continue;
      }
      try {
        // It may have been finished since it was looked for.
        Optional<V> finished = kept.get(key);
        return finished.isPresent() ? finished.get() : kept.putIfAbsent(key, make.get());
      } finally {
        underWay.remove(key);
        mine.countDown();
      }
    }
  }
}
