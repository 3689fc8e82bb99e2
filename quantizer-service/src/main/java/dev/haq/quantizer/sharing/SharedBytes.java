package dev.haq.quantizer.sharing;

/** Bytes of which several hold some, never more than there are. Safe for use by many threads. */
public final class SharedBytes {
  private final long all;
  private long held;

  /**
   * @param all that may be held together
   */
  public SharedBytes(long all) {
    this.all = all;
  }

  /**
   * Holds another number than before; less is always granted.
   *
   * @param before what the caller holds
   * @param after what it wants to hold
   * @return whether it does; if not, it holds what it did
   */
  public synchronized boolean change(long before, long after) {
    if (after > before && held - before + after > all) {
      return false;
    }
    held += after - before;
    return true;
  }

  /** How many are held. */
  public synchronized long held() {
    return held;
  }
}
