package dev.haq.agent.session;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives sessions threads of this process as their turn comes: first come, first served, so many at
 * a time, never two threads to one session. The line itself is in the store, which several
 * processes may share: a session is leased before it is worked on, the lease is renewed as long as
 * this process lives, and a session whose lease has run out is anybody's.
 *
 * <p>Taking and leaving hold the monitor; counts are had without.
 */
final class SessionQueue implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SessionQueue.class);
  private static final long GRACE_MILLIS = 10_000;
  private static final long TICK_MILLIS = 1_000;

  /** How many sessions are looked at when a place is free. */
  private static final int LOOK_AHEAD = 16;

  private final String owner;
  private final SessionTerms terms;
  private final SessionStore store;
  private final SessionLedger ledger;
  private final SessionWatchers watchers;
  private final Function<SessionRecord, Optional<SessionRun>> runs;
  private final Map<String, Running> running = new ConcurrentHashMap<>();
  private final ScheduledExecutorService clock =
      Executors.newScheduledThreadPool(
          2, // renewing waits for nothing that others hold
          work -> {
            Thread thread = new Thread(work, "session-leases");
            thread.setDaemon(true);
            return thread;
          });
  private volatile int queued;
  private boolean closed;
  private volatile long othersRenewed = System.nanoTime(); // by then, since the store was away

  private record Running(Thread thread, SessionRun run) {}

  /**
   * @param owner what this process is called in leases, unlike any other
   * @param runs makes the run of a session that was leased; empty when it cannot be run
   */
  SessionQueue(
      String owner,
      SessionTerms terms,
      SessionStore store,
      SessionLedger ledger,
      SessionWatchers watchers,
      Function<SessionRecord, Optional<SessionRun>> runs) {
    this.owner = owner;
    this.terms = terms;
    this.store = store;
    this.ledger = ledger;
    this.watchers = watchers;
    this.runs = runs;
  }

  /** Begins to take what waits in the store. */
  void start() {
    settle();
    fill();
    long renewing = Math.max(1, terms.lease().toMillis() / 3);
    repeat(this::renew, renewing);
    repeat(this::tick, TICK_MILLIS);
  }

  /** Takes sessions that nobody works on, as long as there are places. */
  synchronized void fill() {
    if (closed || isStoreJustBack()) {
      return;
    }
    boolean found = true;
    while (found && running.size() < terms.places()) {
      found = false;
      for (SessionRecord session : store.unleased(LOOK_AHEAD)) {
        // One resumed while its last thread is still leaving waits for that.
        if (running.size() < terms.places() && !running.containsKey(session.id())) {
          found = true;
          ledger.lease(session, owner, terms.lease()).ifPresent(this::begin);
        }
      }
    }
    queued = store.queued();
  }

  /** Lets sessions come to rest that waited for an episode which died with its process. */
  private synchronized void settle() {
    if (closed || isStoreJustBack()) {
      return;
    }
    for (SessionRecord session : store.interrupted(LOOK_AHEAD)) {
      if (!running.containsKey(session.id())) {
        ledger.settle(session);
      }
    }
  }

  /**
   * For as long as a lease lasts after the store was away: whoever is alive could not renew its
   * own, and is to have the time to.
   */
  private boolean isStoreJustBack() {
    return System.nanoTime() - othersRenewed < 0;
  }

  private void begin(SessionRecord session) {
    String id = session.id();
    Optional<SessionRun> run = runs.apply(session);
    if (run.isEmpty()) {
      store.release(owner, id);
      return;
    }
    Thread thread =
        new Thread(
            () -> {
              try {
                run.get().run();
              } finally {
                leave(id);
              }
            },
            "session-" + id.substring(0, Math.min(8, id.length())));
    thread.setDaemon(true);
    thread.start();
    running.put(id, new Running(thread, run.get())); // in time: leaving waits for the monitor
  }

  private synchronized void leave(String id) {
    try {
      store.release(owner, id);
    } catch (RuntimeException e) {
      LOG.warn("the lease of session {} runs out by itself: {}", id, e.getMessage());
    }
    running.remove(id);
    try {
      fill();
    } catch (RuntimeException e) {
      LOG.warn("the place of session {} is filled later: {}", id, e.getMessage());
    }
  }

  /** Lets the run of a session know how that stands, unless a later lease has begun the run. */
  synchronized void tell(SessionRecord session) {
    Running here = running.get(session.id());
    if (here != null && here.run().fence() <= session.version().fence()) {
      here.run().tell(session);
    }
  }

  private void repeat(Runnable work, long millis) {
    Runnable whateverHappens =
        () -> {
          try {
            work.run();
          } catch (RuntimeException e) {
            LOG.warn("the session store does not answer: {}", e.getMessage());
            othersRenewed = System.nanoTime() + terms.lease().toNanos();
          } catch (Error e) {
            // Such as want of memory, which may pass: without this all leases would run out.
            LOG.error("leases are looked after again in {} ms", millis, e);
          }
        };
    // Its future never completes: no exception gets out, and close ends the clock.
    var unused =
        clock.scheduleWithFixedDelay(whateverHappens, millis, millis, TimeUnit.MILLISECONDS);
  }

  private void renew() {
    if (!running.isEmpty()) {
      store.renew(owner, running.keySet(), terms.lease());
    }
  }

  private void tick() {
    lookAround();
    settle();
    fill();
  }

  /** Takes note of what other processes did to sessions that run or are watched here. */
  private void lookAround() {
    Set<String> ids = new HashSet<>(watchers.watched());
    ids.addAll(running.keySet());
    for (SessionRecord session : store.findAll(ids)) {
      ids.remove(session.id());
      watchers.tell(session);
      tell(session);
    }
    for (String gone : ids) {
      watchers.gone(gone);
      Optional.ofNullable(running.get(gone)).ifPresent(r -> r.run().abort());
    }
  }

  /** How far a session is that is prepared here; does not wait for the monitor. */
  Optional<Preparation> preparation(String id) {
    return Optional.ofNullable(running.get(id)).flatMap(here -> here.run().preparation());
  }

  /** Does not wait for the monitor. */
  int runningCount() {
    return running.size();
  }

  /** Of those that run, the ones that no other process is known to have leased; does not wait. */
  int leasedCount() {
    return (int) running.values().stream().filter(here -> here.run().isLeased()).count();
  }

  /** As the store was last seen; does not wait for it. */
  int queuedCount() {
    return queued;
  }

  /** Drops what is under way in every session, waits for their threads, and gives up all leases. */
  @Override
  public void close() {
    List<Running> last;
    synchronized (this) {
      closed = true;
      last = List.copyOf(running.values());
    }
    clock.shutdown();
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
      // Never interrupted: an interrupt during a read closes an embedded database.
      if (!clock.awaitTermination(GRACE_MILLIS, TimeUnit.MILLISECONDS)) {
        LOG.warn("the session store is still being read");
      }
      store.release(owner);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      LOG.warn("leases run out by themselves: they cannot be given up: {}", e.getMessage());
    }
  }
}
