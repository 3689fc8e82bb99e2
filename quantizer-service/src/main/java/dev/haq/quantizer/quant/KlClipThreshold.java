package dev.haq.quantizer.quant;

/**
 * The clip threshold c = argmin_x D_KL(W || quantize(W, b, x)) (HAQ paper, section 3.4).
 *
 * <p>The search over a histogram is Migacz's (<i>8-bit inference with TensorRT</i>, GTC 2017): for
 * every candidate x, the reference distribution P is the histogram up to x with all that lies
 * beyond moved into its last bin; Q spreads the mass of each quantization level evenly over the
 * level's bins that are not empty. Departures: zeros are left out (see {@link Histogram}); a
 * candidate has at least one bin a level; and one whose mean squared error is larger than without
 * clipping is passed over. Without that last rule a tensor with nearly all its values close to zero
 * (the first pointwise layer of MobileNetV1) is clipped to these, and the network guesses.
 *
 * <p>The paper's reference code compares cumulative distributions instead. On ResNet-20 that loses
 * up to 20 points more at 3 bits than this form, which is also closer to the paper's formula.
 */
public final class KlClipThreshold {
  /** How many thresholds are tried, evenly over the range. */
  private static final int CANDIDATES = 256;

  /**
   * Stands for the probability zero in Q where P has mass, which would make the divergence
   * infinite.
   */
  private static final double SMALLEST_PROBABILITY = 1e-9;

  private KlClipThreshold() {}

  /**
   * @param histogram of magnitudes
   * @param levels how many magnitudes other than zero can be told apart: 2^b - 1 of an unsigned
   *     operand, 2^(b-1) - 1 of a signed one; at least 1
   * @return above 0 and at most the largest magnitude; that magnitude itself when nothing was
   *     counted
   */
  public static double of(Histogram histogram, int levels) {
    double total = histogram.total();
    if (total == 0) {
      return histogram.max();
    }
    double unclippedError = squaredError(histogram, histogram.bins(), levels);
    double bestDivergence = Double.POSITIVE_INFINITY;
    int all = histogram.bins();
    int step = Math.max(1, all / CANDIDATES);
    int best = all;
    int first = (levels + step - 1) / step * step;
    double within = 0;
    int counted = 0;
    for (int bins = first; bins <= all; bins += step) {
      while (counted < bins) {
        within += histogram.count(counted++);
      }
      if (within == 0) {
        continue;
      }
      double divergence = divergence(histogram, bins, levels, within, total);
      if (divergence < bestDivergence && squaredError(histogram, bins, levels) <= unclippedError) {
        bestDivergence = divergence;
        best = bins;
      }
    }
    return histogram.max() * best / all;
  }

  /** D_KL(P || Q) in nats when everything from bin {@code bins} on is clipped. */
  private static double divergence(
      Histogram histogram, int bins, int levels, double within, double total) {
    double outliers = total - within;
    double divergence = 0;
    for (int level = 0; level < levels; level++) {
      int from = firstBin(level, bins, levels);
      int to = firstBin(level + 1, bins, levels);
      double mass = 0;
      int filled = 0;
      for (int i = from; i < to; i++) {
        mass += histogram.count(i);
        filled += histogram.count(i) > 0 ? 1 : 0;
      }
      for (int i = from; i < to; i++) {
        double count = histogram.count(i) + (i == bins - 1 ? outliers : 0);
        if (count > 0) {
          double p = count / total;
          double q =
              histogram.count(i) > 0
                  ? Math.max(mass / filled / within, SMALLEST_PROBABILITY)
                  : SMALLEST_PROBABILITY;
          divergence += p * Math.log(p / q);
        }
      }
    }
    return divergence;
  }

  /** Sum of (x - q(x))^2 over the values, each at the middle of its bin, in squared bins. */
  private static double squaredError(Histogram histogram, int bins, int levels) {
    double step = (double) bins / levels;
    double sum = 0;
    for (int i = 0; i < histogram.bins(); i++) {
      double value = i + 0.5;
      double error = value - Math.min(levels, Math.rint(value / step)) * step;
      sum += histogram.count(i) * error * error;
    }
    return sum;
  }

  private static int firstBin(int level, int bins, int levels) {
    return (int) (((long) level * bins + levels - 1) / levels);
  }
}
