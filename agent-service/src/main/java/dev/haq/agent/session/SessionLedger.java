package dev.haq.agent.session;

import dev.haq.agent.search.Episode;
import dev.haq.agent.search.SessionRecord;
import dev.haq.agent.search.SessionState;
import dev.haq.agent.search.SessionStore;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.function.UnaryOperator;

/**
 * The one place where sessions change: one change of a session at a time, first in the store, then
 * told to its watchers, so that every watcher sees what is stored, in the order in which it was.
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
    return store
        .find(id)
        .orElseThrow(
            () -> new HaqException(Reason.UNKNOWN_SESSION, "there is no session '" + id + "'"));
  }

  /**
   * Changes a session as it now stands.
   *
   * @param change answers its argument to leave it alone
   */
  SessionRecord change(String id, UnaryOperator<SessionRecord> change) {
    synchronized (lock(id)) {
      SessionRecord before = get(id);
      SessionRecord after = change.apply(before);
      if (after.equals(before)) {
        return before;
      }
      if (!store.update(after, before.state())) {
        throw new IllegalStateException("session " + id + " was changed by another process");
      }
      if (after.state() != before.state()) {
        if (after.state().isFinal()) {
          metrics.ended(after.state().name());
        }
        watchers.stateChanged(after);
      }
      return after;
    }
  }

  /**
   * Moves a session from one state to another.
   *
   * @return whether this call did; false where the session was in another state than {@code from}
   */
  boolean move(String id, SessionState from, SessionState to) {
    boolean[] moved = new boolean[1];
    change(
        id,
        s -> {
          moved[0] = s.state() == from;
          return moved[0] ? s.moved(to, now()) : s;
        });
    return moved[0];
  }

  /** Stores an episode with the agent's checkpoint. */
  SessionRecord append(String id, Episode episode, byte[] snapshot) {
    synchronized (lock(id)) {
      long start = System.nanoTime();
      SessionRecord after = store.append(id, episode, snapshot);
      metrics.episode(episode.result().timings(), (System.nanoTime() - start) * 1e-9);
      watchers.episodeStored(id, episode.number());
      return after;
    }
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
