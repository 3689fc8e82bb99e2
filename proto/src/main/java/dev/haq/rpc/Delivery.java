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
 * no more than a few messages are held for it. It is over, and the source closed, when the last of
 * it was taken, or no message for so long that the receiver is given up.
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
  private volatile long moved = System.nanoTime(); // when something was taken, or made

  // Guarded by this.
  private boolean working;
  private boolean drained;
  private int untaken; // messages
  private Runnable ending; // null until all is made
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
    synchronized (this) {
      if (working || ending != null || over) {
        drained = true;
        return;
      }
      working = true;
    }
    execute();
  }

  private void execute() {
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
    try {
      sendSome();
    } catch (Throwable e) {
      fail(e);
    }
    moved = System.nanoTime(); // making it may have taken long
    if (goesOn()) {
      execute(); // behind the others
    }
  }

  private void sendSome() {
    for (int sent = 0; sent < AT_ONCE && !out.isFull(); sent++) {
      Optional<R> next = source.next();
      if (next.isEmpty()) {
        endWith(out::end);
        return;
      }
      synchronized (this) {
        untaken++;
      }
      out.send(next.get(), this::taken);
    }
  }

  private void taken() {
    moved = System.nanoTime();
    synchronized (this) {
      untaken--;
    }
    endWhenTaken();
  }

  /** All is made: ends the stream once it is taken, until when it may still be reset. */
  private void endWith(Runnable last) {
    synchronized (this) {
      ending = last;
    }
    endWhenTaken();
  }

  private void endWhenTaken() {
    Runnable last;
    synchronized (this) {
      if (ending == null || untaken > 0 || over) {
        return;
      }
      last = ending;
    }
    last.run(); // the stream ends but once
    end();
  }

  /** Whether the receiver has caught up meanwhile; if not, the next drain wakes a worker. */
  private boolean goesOn() {
    synchronized (this) {
      if (drained && ending == null && !over) {
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
    endWith(() -> out.fail(failure));
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
