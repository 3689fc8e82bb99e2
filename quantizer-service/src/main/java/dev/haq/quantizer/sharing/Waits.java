package dev.haq.quantizer.sharing;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.util.function.BooleanSupplier;

/** Waiting that ends when the caller leaves. */
public final class Waits {
  /** How often those who wait ask whether they still should. */
  private static final long PATIENCE_MILLIS = 50;

  private Waits() {}

  /** One try at what is waited for. */
  public interface Attempt {
    /** Whether it came within so long. */
    boolean within(long millis) throws InterruptedException;
  }

  /**
   * Tries until it comes.
   *
   * @param cancelled asked now and then whether the caller has left
   * @throws HaqException CANCELLED
   */
  public static void until(Attempt attempt, BooleanSupplier cancelled) {
    try {
      while (!attempt.within(PATIENCE_MILLIS)) {
        if (cancelled.getAsBoolean()) {
          throw left();
        }
      }
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  /** Whether it is there already. */
  static boolean isThere(Attempt attempt) {
    try {
      return attempt.within(0);
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  /**
   * Ends work that nobody waits for any more.
   *
   * @throws HaqException CANCELLED
   */
  public static void throwIf(BooleanSupplier cancelled) {
    if (cancelled.getAsBoolean()) {
      throw left();
    }
  }

  private static HaqException left() {
    return new HaqException(Reason.CANCELLED, "the caller left, or its deadline passed");
  }

  private static HaqException interrupted(InterruptedException e) {
    Thread.currentThread().interrupt();
    return new HaqException(Reason.CANCELLED, "the call was interrupted", e);
  }
}
