package dev.haq.agent.session;

import dev.haq.agent.search.Reward;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * The one place where sessions change: one change of a session at a time in this process, first in
 * the store, then told to its watchers, so that every watcher sees what is stored, in the order in
 * which it was. Other processes may change sessions too; the store's revisions keep the two apart.
 */
final class SessionLedger {
  private static final int LOCKS = 64;

  private final SessionStore store;
  private final SessionWatchers watchers;
  private final SessionMetrics metrics;
  private final Object[] locks = new Object[LOCKS];

  SessionLedger(SessionStore store, SessionWatchers watchers, SessionMetrics metrics) {
    this.store = store;
    this.watchers = watchers;
    this.metrics = metrics;
    for (int i = 0; i < LOCKS; i++) {
      locks[i] = new Object();
    }
  }

  /** Now, as exactly as databases keep it. */
  static Instant now() {
    return Instant.now().truncatedTo(ChronoUnit.MICROS);
  }

  /**
   * @throws HaqException {@link Reason#UNKNOWN_SESSION}
   */
  SessionRecord get(String id) {
    return store.require(id);
  }

  /**
   * Changes a session as it now stands; where another process was faster, as it stands after that.
   *
   * @param change answers its argument to leave it alone
   */
  SessionRecord change(String id, UnaryOperator<SessionRecord> change) {
    synchronized (lock(id)) {
      Optional<SessionRecord> stored;
      do {
        SessionRecord before = get(id);
        SessionRecord after = change.apply(before);
        stored = after.equals(before) ? Optional.of(before) : changed(before, after);
      } while (stored.isEmpty());
      return stored.get();
    }
  }

  /**
   * Deletes a session as it now stands.
   *
   * @param check throws where it must not be
   */
  void delete(String id, Consumer<SessionRecord> check) {
    synchronized (lock(id)) {
      boolean deleted = false;
      while (!deleted) {
        SessionRecord session = get(id);
        check.accept(session);
        deleted = store.delete(session);
      }
      watchers.gone(id);
    }
  }

  private Optional<SessionRecord> changed(SessionRecord before, SessionRecord after) {
    Optional<SessionRecord> stored = store.update(before, after);
    stored.ifPresent(s -> tell(before, s));
    return stored;
  }

  /**
   * Takes a session that nobody works on.
   *
   * @return the session, PREPARING, under a new lease; empty where another process was faster, or
   *     where it was only to come to rest
   */
  Optional<SessionRecord> lease(SessionRecord before, String owner, Duration term) {
    synchronized (lock(before.id())) {
      SessionRecord after = before.takenOver(now());
      if (after.state() != SessionState.PREPARING) {
        changed(before, after);
        return Optional.empty();
      }
      Optional<SessionRecord> stored = store.lease(before, after, owner, term);
      stored.ifPresent(s -> tell(before, s));
      if (stored.isPresent() && before.state() != SessionState.QUEUED) {
        metrics.takenOver();
      }
      return stored;
    }
  }

  /** Lets a session come to rest on which nobody works and that waits for nothing else. */
  void settle(SessionRecord before) {
    synchronized (lock(before.id())) {
      changed(before, before.takenOver(now()));
    }
  }

  private void tell(SessionRecord before, SessionRecord after) {
    if (after.state() != before.state() && after.state().isFinal()) {
      metrics.ended(after.state().name());
    }
    watchers.tell(after);
  }

  /** Takes note that another process has leased a session that was worked on here. */
  void leaseLost() {
    metrics.leaseLost();
  }

  /**
   * Stores an episode with the agent's checkpoint.
   *
   * @param reward the session's
   */
  SessionRecord append(String id, long fence, Reward reward, Episode episode, byte[] snapshot) {
    synchronized (lock(id)) {
      long start = System.nanoTime();
      SessionRecord after = store.append(id, fence, episode, snapshot);
      metrics.episode(reward, episode, (System.nanoTime() - start) * 1e-9);
      watchers.tell(after);
      return after;
    }
  }

  /** Tells watchers how far the final fine-tuning is; nothing is stored. */
  void tuning(String id, TuningProgress progress) {
    watchers.tell(id, progress);
  }

  /** Forgets how far the final fine-tuning is. */
  void tuningOver(String id) {
    watchers.tuningOver(id);
  }

  /** Lets watchers know that a session is further on in what is not stored. */
  void progressed(String id) {
    watchers.progressed(id);
  }

  /** Lets a watcher in between two changes, so that it misses none after what it starts from. */
  void watch(String id, int afterEpisode, WatchSink sink) {
    synchronized (lock(id)) {
      watchers.add(get(id), afterEpisode, sink);
    }
  }

  private Object lock(String id) {
    return locks[Math.floorMod(id.hashCode(), LOCKS)];
  }
}
