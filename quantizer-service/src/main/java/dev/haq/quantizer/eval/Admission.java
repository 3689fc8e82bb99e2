package dev.haq.quantizer.eval;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/** Lets a few evaluations run at once and others wait in line, up to a bound. */
final class Admission {
  private static final long CANCEL_CHECK_MILLIS = 50;

  /** Half the threads that serve calls, so that waiting evaluations never block other calls. */
  private static final int MOST_WAITING = 32;

  private final Semaphore running;
  private final AtomicInteger waiting = new AtomicInteger();

  /**
   * @param concurrent evaluations under way at once
   */
  Admission(int concurrent) {
    this.running = new Semaphore(concurrent, true);
  }

  /**
   * Waits until one more may run.
   *
   * @throws HaqException BUSY when too many wait already, or CANCELLED
   */
  void enter(BooleanSupplier cancelled) {
    try {
      if (waiting.incrementAndGet() > MOST_WAITING) {
        throw new HaqException(
            Reason.BUSY,
            MOST_WAITING + " evaluations wait already: try again later, or use another replica");
      }
      while (!running.tryAcquire(CANCEL_CHECK_MILLIS, TimeUnit.MILLISECONDS)) {
        if (cancelled.getAsBoolean()) {
          throw new HaqException(Reason.CANCELLED, "the caller left, or its deadline passed");
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new HaqException(Reason.CANCELLED, "the evaluation was interrupted", e);
    } finally {
      waiting.decrementAndGet();
    }
  }

  /** One that ran is done. */
  void leave() {
    running.release();
  }
}
