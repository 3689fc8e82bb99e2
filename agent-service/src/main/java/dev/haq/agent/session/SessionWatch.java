package dev.haq.agent.session;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * One watcher of one session. It is told only that there is something new; what that is it reads
 * from the store, from where its receiver is, at its receiver's speed. So old and new episodes come
 * the same way, none twice and none left out, and a slow receiver holds up nobody.
 */
final class SessionWatch {
  /** Episodes read at a time. */
  private static final int PAGE = 64;

  /** A receiver that lags by more changes than these misses the oldest. */
  private static final int MOST_STATES = 256;

  /** The least between two repetitions. */
  private static final long REPEAT_NANOS = 1_000_000_000;

  private final SessionRecord first;
  private final SessionStore store;
  private final WatchSink sink;
  private final Executor executor;
  private final Consumer<SessionWatch> onEnd;

  /** The latest that was told. Guarded by this. */
  private SessionRecord known;

  private final AtomicInteger wakeUps = new AtomicInteger();

  /** The session as it was at news that were not sent yet, oldest first. Guarded by this. */
  private final Deque<SessionRecord> states = new ArrayDeque<>();

  /** How far fine-tuning is, where that was not sent yet, else null. Guarded by this. */
  private TuningProgress tuning;

  /** Number of the last episode that may be sent. Guarded by this. */
  private int available;

  /** When {@link #repeat} last did; 0 for never. Guarded by this. */
  private long repeated;

  /** Touched by {@link #pump} alone. */
  private boolean started;

  /** Number of the last episode sent. Touched by {@link #pump} alone. */
  private int sent;

  private volatile boolean over;

  SessionWatch(
      SessionRecord first,
      int afterEpisode,
      SessionStore store,
      WatchSink sink,
      Executor executor,
      Consumer<SessionWatch> onEnd) {
    this.first = first;
    this.sent = afterEpisode;
    this.store = store;
    this.sink = sink;
    this.executor = executor;
    this.onEnd = onEnd;
    known = first;
    available = first.progress().episodesDone();
    if (first.state().isFinal()) {
      states.add(first);
    }
  }

  void start() {
    sink.onDrain(this::wake);
    sink.onCancel(this::finish);
    wake();
  }

  /** Takes note of how the session stands now, unless more is known already. */
  synchronized void tell(SessionRecord session) {
    available = Math.max(available, session.progress().episodesDone());
    if (session.version().revision() > known.version().revision()) {
      if (states.size() == MOST_STATES) {
        states.removeFirst();
      }
      states.addLast(session);
      tuning = null;
      known = session;
    }
  }

  /** Takes note of how far fine-tuning is; what was not sent yet is passed over. */
  synchronized void tell(TuningProgress progress) {
    if (known.state() == SessionState.FINE_TUNING) {
      tuning = progress;
    }
  }

  /**
   * Has the session sent once more while it is prepared, at most once a second and not to a
   * receiver that lags; answers whether it will be.
   */
  synchronized boolean repeat() {
    long now = System.nanoTime();
    if (known.state() != SessionState.PREPARING
        || !states.isEmpty()
        || (repeated != 0 && now - repeated < REPEAT_NANOS)) {
      return false;
    }
    repeated = now;
    states.addLast(known);
    return true;
  }

  /** Sends what can be sent, on another thread; one thread at a time does. */
  void wake() {
    if (wakeUps.getAndIncrement() > 0) {
      return;
    }
    try {
      executor.execute(this::pumpUntilQuiet);
    } catch (RejectedExecutionException e) {
      over = true; // the service is stopping, and the stream has been told
    }
  }

  private void pumpUntilQuiet() {
    int seen;
    do {
      seen = wakeUps.get();
      pumpSafely();
    } while (wakeUps.addAndGet(-seen) > 0);
  }

  /** Ends the stream with an error. */
  void fail(RuntimeException failure) {
    if (!over) {
      finish();
      sink.fail(failure);
    }
  }

  private void finish() {
    over = true;
    onEnd.accept(this);
  }

  private void pumpSafely() {
    try {
      pump();
    } catch (RuntimeException e) {
      fail(e);
    }
  }

  private void pump() {
    if (!started) {
      started = true;
      sink.snapshot(first);
    }
    while (!over && !sink.isFull()) {
      SessionRecord state;
      TuningProgress progress;
      int upTo;
      synchronized (this) {
        state = states.peekFirst();
        progress = tuning;
        upTo = state == null ? available : state.progress().episodesDone();
      }
      if (sent < upTo) {
        sendEpisodes(upTo);
      } else if (state != null) {
        synchronized (this) {
          states.remove(state);
        }
        sink.state(state);
        if (state.state().isFinal()) {
          finish();
          sink.end();
        }
      } else if (progress != null) {
        synchronized (this) {
          tuning = progress.equals(tuning) ? null : tuning;
        }
        sink.tuning(progress);
      } else {
        return;
      }
    }
  }

  private void sendEpisodes(int upTo) {
    List<Episode> episodes = store.episodes(first.id(), sent, Math.min(PAGE, upTo - sent));
    if (episodes.isEmpty()) {
      throw SessionWatchers.deleted(first.id());
    }
    for (Episode episode : episodes) {
      sink.episode(episode);
      sent = episode.number();
    }
  }
}
