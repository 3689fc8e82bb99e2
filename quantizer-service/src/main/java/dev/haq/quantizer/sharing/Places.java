package dev.haq.quantizer.sharing;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** A few places, one for each that may be at work at once. Safe for use by many threads. */
public final class Places {
  /** How often those who wait ask whether they still should. */
  private static final long PATIENCE_MILLIS = 50;

  private final Semaphore free;

  public Places(int number) {
    this.free = new Semaphore(number, true);
  }

  /**
   * Waits for a place, to be left when the work is done.
   *
   * @throws HaqException CANCELLED
   */
  public void enter(BooleanSupplier cancelled) {
    try {
      while (!free.tryAcquire(PATIENCE_MILLIS, TimeUnit.MILLISECONDS)) {
        if (cancelled.getAsBoolean()) {
          throw new HaqException(Reason.CANCELLED, "the caller left, or its deadline passed");
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new HaqException(Reason.CANCELLED, "the call was interrupted", e);
    }
  }

  public void leave() {
    free.release();
  }
}
