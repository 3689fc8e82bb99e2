package dev.haq.quantizer.quant;

/** No clipping: the threshold is the largest magnitude (Jacob et al. 2018, arXiv:1712.05877). */
public final class MinMax {
  private MinMax() {}

  /** Of {@code count} values from {@code from} on. */
  public static double of(float[] values, int from, int count) {
    double largest = 0;
    for (int i = from; i < from + count; i++) {
      largest = Math.max(largest, Math.abs(values[i]));
    }
    return largest;
  }
}
