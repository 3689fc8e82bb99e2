package dev.haq.quantizer.sharing;

import dev.haq.model.HaqException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** A few places, one for each that may be at work at once. Safe for use by many threads. */
public final class Places {
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
    Waits.until(this::entered, cancelled);
  }

  /**
   * Waits in line for a place, to be left when the work is done.
   *
   * @throws HaqException BUSY when the line is too long, or CANCELLED
   */
  public void enter(Line line, BooleanSupplier cancelled) {
    line.await(this::entered, cancelled);
  }

  private boolean entered(long millis) throws InterruptedException {
    return free.tryAcquire(millis, TimeUnit.MILLISECONDS);
  }

  public void leave() {
    free.release();
  }
}
