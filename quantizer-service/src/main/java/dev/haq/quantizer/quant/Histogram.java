package dev.haq.quantizer.quant;

import dev.haq.model.HaqException;

/**
 * How often magnitudes occur, in bins of equal width over [0, max]. Exact zeros are left out: every
 * grid holds zero, so they say nothing about where to clip, and after a ReLU they would outweigh
 * all else.
 */
public final class Histogram {
  /** As many as the usual implementations of calibration by entropy have (TensorRT: 2048). */
  public static final int USUAL_BINS = 2048;

  private final double max;
  private final double binsPerUnit;
  private final long[] counts;

  /**
   * @param max the largest magnitude expected, at least 0; larger ones are counted in the last bin
   * @param bins at least 1
   */
  public Histogram(double max, int bins) {
    if (!(max >= 0) || Double.isInfinite(max)) {
      throw HaqException.invalid("histogram up to %s: expected a finite number of at least 0", max);
    }
    this.max = max;
    this.binsPerUnit = max > 0 ? bins / max : 0;
    this.counts = new long[bins];
  }

  /** The histogram of some values' magnitudes, up to the largest of them. */
  public static Histogram of(float[] values, int bins) {
    double max = 0;
    for (float value : values) {
      max = Math.max(max, Math.abs(value));
    }
    Histogram histogram = new Histogram(max, bins);
    for (float value : values) {
      histogram.add(value);
    }
    return histogram;
  }

  public void add(float value) {
    double magnitude = Math.abs(value);
    if (magnitude > 0) {
      counts[(int) Math.min(counts.length - 1, magnitude * binsPerUnit)]++;
    }
  }

  /** This and another of the same bins together. */
  public Histogram plus(Histogram other) {
    Histogram sum = new Histogram(max, counts.length);
    for (int i = 0; i < counts.length; i++) {
      sum.counts[i] = counts[i] + other.counts[i];
    }
    return sum;
  }

  /** The largest magnitude. */
  public double max() {
    return max;
  }

  public int bins() {
    return counts.length;
  }

  /** How many values fell into bin {@code index}, which covers [index, index + 1) * max / bins. */
  public long count(int index) {
    return counts[index];
  }

  /** How many values other than zero were counted. */
  public long total() {
    long sum = 0;
    for (long count : counts) {
      sum += count;
    }
    return sum;
  }
}
