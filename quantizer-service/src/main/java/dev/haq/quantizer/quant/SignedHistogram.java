package dev.haq.quantizer.quant;

/**
 * How often the values of a tensor occur: magnitudes of negative and of positive ones apart, in
 * bins of equal width over [0, largest magnitude].
 */
public final class SignedHistogram {
  private final Histogram negative;
  private final Histogram positive;
  private final float smallest;
  private final float largest;

  /**
   * @param smallest the smallest value expected
   * @param largest the largest value expected
   * @param bins of each sign, at least 1
   */
  public SignedHistogram(float smallest, float largest, int bins) {
    double magnitude = Math.max(Math.abs(smallest), Math.abs(largest));
    this.negative = new Histogram(magnitude, bins);
    this.positive = new Histogram(magnitude, bins);
    this.smallest = smallest;
    this.largest = largest;
  }

  public void add(float value) {
    (value < 0 ? negative : positive).add(value);
  }

  public float smallest() {
    return smallest;
  }

  public float largest() {
    return largest;
  }

  public Histogram negative() {
    return negative;
  }

  public Histogram positive() {
    return positive;
  }

  /** Both signs together. */
  public Histogram magnitudes() {
    return negative.plus(positive);
  }
}
