package dev.haq.quantizer.sharing;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * Those who wait for one thing. Only a few may: they hold threads that serve all calls. Safe for
 * use by many threads.
 */
public final class Line {
  private final int most;
  private final String waiting;
  private final AtomicInteger length = new AtomicInteger();

  /**
   * @param most how many may be in it
   * @param waiting what they are called when they are too many, such as "imports wait"
   */
  public Line(int most, String waiting) {
    this.most = most;
    this.waiting = waiting;
  }

  /**
   * Waits in line; does not count where there is nothing to wait for.
   *
   * @throws HaqException BUSY when too many wait already, or CANCELLED
   */
  public void await(Waits.Attempt attempt, BooleanSupplier cancelled) {
    if (!Waits.isThere(attempt)) {
      hold(
          () -> {
            Waits.until(attempt, cancelled);
            return true;
          });
    }
  }

  /**
   * Does something that counts as waiting.
   *
   * @throws HaqException BUSY when too many wait already, and what {@code work} throws
   */
  public <T> T hold(Supplier<T> work) {
    try {
      if (length.incrementAndGet() > most) {
        throw new HaqException(
            Reason.BUSY,
            "%d %s already: try again later, or use another replica".formatted(most, waiting));
      }
      return work.get();
    } finally {
      length.decrementAndGet();
    }
  }
}
