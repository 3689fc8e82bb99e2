package dev.haq.rpc;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends what a source has as fast as the receiver takes it; no thread waits for the receiver, and
 * no more than a few messages are held for it.
 */
final class Delivery<R> {
  /** Messages made before others have their turn on the worker threads. */
  private static final int AT_ONCE = 8;

  private static final int CHECKS = 4;
  private static final Logger LOG = LoggerFactory.getLogger(Delivery.class);

  private final MessageSource<R> source;
  private final ResponseStream<R> out;
  private final Executor workers;
  private final Vertx vertx;
  private final Duration patience;
  private volatile long timer;
  private volatile long moved = System.nanoTime();

  // Guarded by this.
  private boolean working;
  private boolean drained;
  private boolean over;

  Delivery(
      MessageSource<R> source,
      ResponseStream<R> out,
      Executor workers,
      Vertx vertx,
      Duration patience) {
    this.source = source;
    this.out = out;
    this.workers = workers;
    this.vertx = vertx;
    this.patience = patience;
  }

  void start() {
    timer = vertx.setPeriodic(Math.max(1, patience.toMillis() / CHECKS), id -> check());
    out.onDrain(this::wake);
    out.onCancel(this::end);
    wake();
  }

  /** Called by the thread that begins and by the event loop. */
  private void wake() {
    moved = System.nanoTime();
    synchronized (this) {
      if (working || over) {
        drained = true;
        return;
      }
      working = true;
    }
    try {
      workers.execute(this::work);
    } catch (RejectedExecutionException e) {
      synchronized (this) {
        working = false;
      }
      fail(
          new HaqException(
              Reason.UNAVAILABLE,
              "the service is stopping: call again, another replica answers",
              e));
    }
  }

  private void work() {
    do {
      try {
        sendSome();
      } catch (Throwable e) {
        fail(e);
      }
    } while (goesOn());
  }

  private void sendSome() {
    for (int sent = 0; sent < AT_ONCE && !out.isFull(); sent++) {
      Optional<R> next = source.next();
      if (next.isEmpty()) {
        out.end();
        end();
        return;
      }
      out.send(next.get());
    }
  }

  /** Whether the receiver has caught up meanwhile; if not, the next drain wakes a worker. */
  private boolean goesOn() {
    synchronized (this) {
      if (drained && !over) {
        drained = false;
        return true;
      }
      working = false;
      if (!over) {
        return false;
      }
    }
    close();
    return false;
  }

  private void check() {
    synchronized (this) {
      if (working || over || System.nanoTime() - moved < patience.toNanos()) {
        return;
      }
    }
    LOG.info("a receiver has taken nothing for {} s: its stream is ended", patience.toSeconds());
    out.reset();
    end();
  }

  private void fail(Throwable failure) {
    out.fail(failure);
    end();
  }

  /** Nothing is sent any more; a worker that is at it closes the source when it leaves. */
  private void end() {
    synchronized (this) {
      if (over) {
        return;
      }
      over = true;
      if (working) {
        return;
      }
    }
    close();
  }

  /** Away from the event loop, which calls this where a receiver has left or is given up. */
  private void close() {
    vertx.cancelTimer(timer);
    try {
      workers.execute(this::closeSource);
    } catch (RejectedExecutionException e) {
      closeSource(); // the service is stopping
    }
  }

  private void closeSource() {
    try {
      source.close();
    } catch (RuntimeException e) {
      LOG.warn("what was sent cannot be put away", e);
    }
  }
}
