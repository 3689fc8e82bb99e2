package dev.haq.quantizer.disk;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.util.regex.Pattern;

/** Tells a full disk, which its owner can mend, from other errors of reading and writing. */
public final class DiskErrors {
  /** As Linux and macOS (ENOSPC, EDQUOT) and Windows say it; Java knows it by no other sign. */
  private static final Pattern FULL =
      Pattern.compile(
          "(?i)no space left on device|disk quota exceeded|not enough space on the disk");

  /** Causes of causes that are looked at; a circle of them must not hold anybody up. */
  private static final int DEEPEST_CAUSE = 10;

  private DiskErrors() {}

  /** Whether an error, or one that caused it, is that a disk has no room left. */
  public static boolean isFull(Throwable error) {
    Throwable cause = error;
    for (int depth = 0; cause != null && depth < DEEPEST_CAUSE; depth++) {
      if (cause.getMessage() != null && FULL.matcher(cause.getMessage()).find()) {
        return true;
      }
      cause = cause.getCause();
    }
    return false;
  }

  /**
   * The error to be answered with: DISK_FULL, or INTERNAL.
   *
   * @param what cannot be done
   */
  public static HaqException failed(String what, Exception e) {
    return isFull(e)
        ? new HaqException(
            Reason.DISK_FULL,
            what
                + ": the service's disk is full; make room in its data folder (HAQ_HOME of the haq"
                + " command) or give it a larger disk, then call again",
            e)
        : new HaqException(Reason.INTERNAL, what + ": " + e.getMessage(), e);
  }
}
