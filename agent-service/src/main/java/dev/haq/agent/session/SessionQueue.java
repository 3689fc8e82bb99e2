package dev.haq.agent.session;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Gives each session a thread when its turn comes: first come, first served, so many at a time. */
final class SessionQueue implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SessionQueue.class);
  private static final long GRACE_MILLIS = 10_000;

  private final int places;
  private final Function<String, SessionRun> runs;
  private final Deque<String> waiting = new ArrayDeque<>();
  private final Map<Thread, Running> running = new LinkedHashMap<>();
  private boolean closed;

  private record Running(String id, SessionRun run) {}

  /**
   * @param places how many sessions run at a time, at least 1
   * @param runs makes the run of a session whose turn has come
   */
  SessionQueue(int places, Function<String, SessionRun> runs) {
    this.places = places;
    this.runs = runs;
  }

  synchronized void offer(String id) {
    waiting.addLast(id);
    fillPlaces();
  }

  /** Takes a session out of the line. */
  synchronized void withdraw(String id) {
    waiting.removeIf(id::equals);
  }

  /** Drops what a running session is doing. */
  synchronized void abort(String id) {
    running.values().stream().filter(r -> r.id().equals(id)).forEach(r -> r.run().abort());
  }

  synchronized int runningCount() {
    return running.size();
  }

  synchronized int waitingCount() {
    return waiting.size();
  }

  private void fillPlaces() {
    while (!closed && running.size() < places && !waiting.isEmpty()) {
      String id = waiting.removeFirst();
      SessionRun run;
      try {
        run = runs.apply(id);
      } catch (RuntimeException e) {
        LOG.error("session {} cannot be started", id, e);
        continue;
      }
      Thread thread =
          new Thread(
              () -> {
                try {
                  run.run();
                } finally {
                  leave();
                }
              },
              "session-" + id.substring(0, Math.min(8, id.length())));
      thread.setDaemon(true);
      running.put(thread, new Running(id, run));
      thread.start();
    }
  }

  private synchronized void leave() {
    running.remove(Thread.currentThread());
    fillPlaces();
  }

  /** Drops what is under way in every session and waits for their threads. */
  @Override
  public void close() {
    Map<Thread, Running> last;
    synchronized (this) {
      closed = true;
      waiting.clear();
      last = new LinkedHashMap<>(running);
    }
    last.values().forEach(r -> r.run().halt());
    long deadline = System.nanoTime() + GRACE_MILLIS * 1_000_000;
    try {
      for (Thread thread : last.keySet()) {
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
