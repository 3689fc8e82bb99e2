package dev.haq.agent.session;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Everybody who watches a session. Telling them never blocks. */
final class SessionWatchers implements AutoCloseable {
  /** Threads that read the store for watchers. */
  private static final int THREADS = 4;

  private static final long GRACE_SECONDS = 5;

  private static final Logger LOG = LoggerFactory.getLogger(SessionWatchers.class);

  private final SessionStore store;
  private final Map<String, Set<SessionWatch>> watches = new ConcurrentHashMap<>();

  /** How far each session is that is being fine-tuned here. */
  private final Map<String, TuningProgress> tuning = new ConcurrentHashMap<>();

  private final ExecutorService executor;
  private volatile boolean closed;

  SessionWatchers(SessionStore store) {
    this.store = store;
    AtomicInteger count = new AtomicInteger();
    executor =
        Executors.newFixedThreadPool(
            THREADS,
            work -> {
              Thread thread = new Thread(work, "watch-" + count.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            });
  }

  /** To be called while the session cannot change. */
  void add(SessionRecord session, int afterEpisode, WatchSink sink) {
    String id = session.id();
    SessionWatch watch =
        new SessionWatch(session, afterEpisode, store, sink, executor, w -> remove(id, w));
    watches.compute(
        id,
        (key, others) -> {
          Set<SessionWatch> all = others == null ? ConcurrentHashMap.newKeySet() : others;
          all.add(watch);
          return all;
        });
    if (closed) {
      watch.fail(stopping());
    } else {
      tuning(id).ifPresent(watch::tell);
      watch.start();
    }
  }

  private void remove(String id, SessionWatch watch) {
    watches.computeIfPresent(
        id,
        (key, all) -> {
          all.remove(watch);
          return all.isEmpty() ? null : all;
        });
  }

  /** Tells everybody who watches a session how it now stands; old news is passed over. */
  void tell(SessionRecord session) {
    for (SessionWatch watch : watches.getOrDefault(session.id(), Set.of())) {
      watch.tell(session);
      watch.wake();
    }
  }

  /** Tells everybody who watches a session how far its fine-tuning is. */
  void tell(String id, TuningProgress progress) {
    tuning.put(id, progress);
    for (SessionWatch watch : watches.getOrDefault(id, Set.of())) {
      watch.tell(progress);
      watch.wake();
    }
  }

  /** A session is not fine-tuned here any more. */
  void tuningOver(String id) {
    tuning.remove(id);
  }

  /** How far a session's fine-tuning is, as far as this process knows. */
  Optional<TuningProgress> tuning(String id) {
    return Optional.ofNullable(tuning.get(id));
  }

  /** Has the session told again to everybody who watches it while it is prepared. */
  void progressed(String id) {
    for (SessionWatch watch : watches.getOrDefault(id, Set.of())) {
      if (watch.repeat()) {
        watch.wake();
      }
    }
  }

  /** Ends the watches of a session that is no more. */
  void gone(String id) {
    tuning.remove(id);
    for (SessionWatch watch : watches.getOrDefault(id, Set.of())) {
      watch.fail(deleted(id));
    }
  }

  /** The log of a session is there as long as the session is. */
  static HaqException deleted(String id) {
    return new HaqException(Reason.UNKNOWN_SESSION, "session " + id + " was deleted");
  }

  /** The sessions that are watched now. */
  Set<String> watched() {
    return Set.copyOf(watches.keySet());
  }

  /** How many watch now. */
  int size() {
    return watches.values().stream().mapToInt(Set::size).sum();
  }

  /**
   * Ends all streams; receivers that open them again find another replica, or this one restarted.
   */
  @Override
  public void close() {
    closed = true;
    watches.values().forEach(all -> all.forEach(watch -> watch.fail(stopping())));
    executor.shutdown();
    try {
      // Never interrupted: an interrupt during a read closes an embedded database.
      boolean quiet = executor.awaitTermination(GRACE_SECONDS, TimeUnit.SECONDS);
      if (!quiet) {
        LOG.warn("a watcher still reads after {} s", GRACE_SECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static HaqException stopping() {
    return new HaqException(
        Reason.UNAVAILABLE,
        "the service is stopping: watch again from the last episode you have seen");
  }
}
