package dev.haq.model;

import java.util.regex.Pattern;

/** Tells a full disk, which its owner can mend, from other errors of reading and writing. */
public final class FullDisk {
  /** As Linux and macOS (ENOSPC, EDQUOT) and Windows say it; Java knows it by no other sign. */
  private static final Pattern FULL =
      Pattern.compile(
          "(?i)no space left on device|disk quota exceeded|not enough space on the disk");

  /** Causes of causes that are looked at; a circle of them must not hold anybody up. */
  private static final int DEEPEST_CAUSE = 10;

  private FullDisk() {}

  /** Whether an error, or one that caused it, is that a disk has no room left. */
  public static boolean caused(Throwable error) {
    Throwable cause = error;
    for (int depth = 0; cause != null && depth < DEEPEST_CAUSE; depth++) {
      if (cause.getMessage() != null && FULL.matcher(cause.getMessage()).find()) {
        return true;
      }
      cause = cause.getCause();
    }
    return false;
  }
}
