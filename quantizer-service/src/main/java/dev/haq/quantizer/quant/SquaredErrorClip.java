package dev.haq.quantizer.quant;

/**
 * The clip thresholds of least mean squared error, argmin_c E[(x - q(x; c))^2] (Sung et al. 2015,
 * arXiv:1511.06488; Banner et al. 2019, arXiv:1810.05723, find it for assumed distributions; here
 * it is searched for over the values themselves).
 */
public final class SquaredErrorClip {
  /** Thresholds tried, evenly over the range. */
  private static final int CANDIDATES = 128;

  /** Rounds in which the two ends of an uneven range are moved in turn; few change after two. */
  private static final int ROUNDS = 4;

  private SquaredErrorClip() {}

  /**
   * @param values of which {@code count} from {@code from} on are meant
   * @param levels magnitudes other than zero that can be told apart, at least 1
   * @return at most the largest magnitude; 0 only where that is 0
   */
  public static double of(float[] values, int from, int count, int levels) {
    double largest = MinMax.of(values, from, count);
    double best = largest;
    double least = Double.POSITIVE_INFINITY;
    for (int candidate = CANDIDATES; candidate >= 1; candidate--) {
      double clip = largest * candidate / CANDIDATES;
      double error = error(values, from, count, clip / levels, levels, least);
      if (error < least) {
        least = error;
        best = clip;
      }
    }
    return best;
  }

  /** The sum of squared errors, or something above {@code least} once it exceeds that. */
  private static double error(
      float[] values, int from, int count, double step, int levels, double least) {
    double perStep = step > 0 ? 1 / step : 0;
    double sum = 0;
    for (int i = from; i < from + count && sum <= least; i++) {
      double magnitude = Math.abs(values[i]);
      double error = magnitude - Math.min(levels, Math.rint(magnitude * perStep)) * step;
      sum += error * error;
    }
    return sum;
  }

  /** The same over a histogram of magnitudes, each taken to lie in the middle of its bin. */
  public static double of(Histogram histogram, int levels) {
    Sums sums = new Sums(histogram);
    double best = histogram.max();
    double least = Double.POSITIVE_INFINITY;
    for (int candidate = CANDIDATES; candidate >= 1; candidate--) {
      double clip = histogram.max() * candidate / CANDIDATES;
      double error = sums.error(clip / levels, levels);
      if (error < least) {
        least = error;
        best = clip;
      }
    }
    return best;
  }

  /**
   * The range of least mean squared error for codes that lie unevenly about zero.
   *
   * @param levels one less than the codes there are
   */
  public static Range range(SignedHistogram histogram, int levels) {
    Sums negative = new Sums(histogram.negative());
    Sums positive = new Sums(histogram.positive());
    Range full = new Range(Math.min(0, histogram.smallest()), Math.max(0, histogram.largest()));
    Range best = full;
    double least = error(negative, positive, full, levels);
    for (int round = 0; round < ROUNDS; round++) {
      Range before = best;
      for (int candidate = 0; candidate <= CANDIDATES; candidate++) {
        double share = (double) candidate / CANDIDATES;
        for (Range range :
            new Range[] {
              new Range(full.low() * share, best.high()), new Range(best.low(), full.high() * share)
            }) {
          double error = error(negative, positive, range, levels);
          if (error < least) {
            least = error;
            best = range;
          }
        }
      }
      if (best.equals(before)) {
        break;
      }
    }
    return best;
  }

  private static double error(Sums negative, Sums positive, Range range, int levels) {
    double step = (range.high() - range.low()) / levels;
    if (!(step > 0)) {
      return Double.POSITIVE_INFINITY;
    }
    int below = (int) Math.rint(-range.low() / step);
    return negative.error(step, below) + positive.error(step, levels - below);
  }

  /** Of a histogram's values up to each bin: how many, their sum, the sum of their squares. */
  private static final class Sums {
    private final double binWidth;
    private final double[] counts;
    private final double[] values;
    private final double[] squares;

    Sums(Histogram histogram) {
      int bins = histogram.bins();
      binWidth = histogram.max() / bins;
      counts = new double[bins + 1];
      values = new double[bins + 1];
      squares = new double[bins + 1];
      for (int i = 0; i < bins; i++) {
        double value = (i + 0.5) * binWidth;
        double count = histogram.count(i);
        counts[i + 1] = counts[i] + count;
        values[i + 1] = values[i] + count * value;
        squares[i + 1] = squares[i] + count * value * value;
      }
    }

    /** Sum of (x - code * step)^2 with codes 0 to {@code largest}: level by level. */
    double error(double step, int largest) {
      int bins = counts.length - 1;
      double sum = 0;
      int from = 0;
      for (int code = 0; code <= largest && from < bins; code++) {
        int to =
            code == largest || !(binWidth > 0)
                ? bins
                : (int) Math.min(bins, Math.ceil((code + 0.5) * step / binWidth - 0.5));
        to = Math.max(from, to);
        double level = code * step;
        sum +=
            squares[to]
                - squares[from]
                - 2 * level * (values[to] - values[from])
                + level * level * (counts[to] - counts[from]);
        from = to;
      }
      return sum;
    }
  }
}
