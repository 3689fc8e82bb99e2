package dev.haq.agent.session;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives each session a thread when its turn comes: first come, first served, so many at a time, and
 * never two threads to one session.
 *
 * <p>Changes hold the monitor, also while a session is read from the store; counts are had without.
 */
final class SessionQueue implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SessionQueue.class);
  private static final long GRACE_MILLIS = 10_000;

  private final int places;
  private final Function<String, Optional<SessionRun>> runs;
  private final Queue<String> waiting = new ConcurrentLinkedQueue<>();
  private final Map<String, Running> running = new ConcurrentHashMap<>();
  private boolean closed;

  private record Running(Thread thread, SessionRun run) {}

  /**
   * @param places how many sessions run at a time, at least 1
   * @param runs makes the run of a session whose turn has come; empty when it waits no more
   */
  SessionQueue(int places, Function<String, Optional<SessionRun>> runs) {
    this.places = places;
    this.runs = runs;
  }

  synchronized void offer(String id) {
    waiting.add(id);
    fillPlaces();
  }

  /** Takes a session out of the line. */
  synchronized void withdraw(String id) {
    waiting.removeIf(id::equals);
  }

  /** Drops what a running session is doing. */
  synchronized void abort(String id) {
    Optional.ofNullable(running.get(id)).ifPresent(r -> r.run().abort());
  }

  /** Does not wait for the monitor. */
  int runningCount() {
    return running.size();
  }

  /** Does not wait for the monitor. */
  int waitingCount() {
    return waiting.size();
  }

  private void fillPlaces() {
    Optional<String> next = next();
    while (next.isPresent()) {
      String id = next.get();
      waiting.remove(id);
      try {
        runs.apply(id).ifPresent(run -> start(id, run));
      } catch (RuntimeException e) {
        LOG.error("session {} cannot be started", id, e);
      }
      next = next();
    }
  }

  /** Whose turn it is. A session resumed while its last thread is still leaving waits for that. */
  private Optional<String> next() {
    return closed || running.size() >= places
        ? Optional.empty()
        : waiting.stream().filter(id -> !running.containsKey(id)).findFirst();
  }

  private void start(String id, SessionRun run) {
    Thread thread =
        new Thread(
            () -> {
              try {
                run.run();
              } finally {
                leave(id);
              }
            },
            "session-" + id.substring(0, Math.min(8, id.length())));
    thread.setDaemon(true);
    running.put(id, new Running(thread, run));
    thread.start();
  }

  private synchronized void leave(String id) {
    running.remove(id);
    fillPlaces();
  }

  /** Drops what is under way in every session and waits for their threads. */
  @Override
  public void close() {
    List<Running> last;
    synchronized (this) {
      closed = true;
      waiting.clear();
      last = List.copyOf(running.values());
    }
    last.forEach(r -> r.run().halt());
    long deadline = System.nanoTime() + GRACE_MILLIS * 1_000_000;
    try {
      for (Running each : last) {
        Thread thread = each.thread();
        thread.join(Math.max(1, (deadline - System.nanoTime()) / 1_000_000));
        if (thread.isAlive()) {
          LOG.warn("{} is still busy", thread.getName());
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
