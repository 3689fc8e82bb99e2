package dev.haq.quantizer.quant;

import dev.haq.model.BitWidth;
import dev.haq.model.Recipe.Clip;
import dev.haq.quantizer.quant.Numerics.ActivationForm;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** The quantizer of a tensor of activations, one for the whole tensor (paper, section 3.4). */
public final class ActivationRange {
  /** Steps from the tightest range weighed to the widest. */
  private static final int WIDENINGS = 4;

  private ActivationRange() {}

  /**
   * @param nonNegative whether the tensor cannot hold a negative value
   */
  public static LinearQuantizer quantizer(
      SignedHistogram seen, boolean nonNegative, BitWidth bits, Clip clip, ActivationForm form) {
    if (nonNegative) {
      return LinearQuantizer.unsigned(
          bits, threshold(seen.magnitudes(), LinearQuantizer.levels(bits, false), clip));
    }
    int magnitudes = LinearQuantizer.levels(bits, true);
    if (form == ActivationForm.SYMMETRIC) {
      return LinearQuantizer.symmetric(bits, threshold(seen.magnitudes(), magnitudes, clip));
    }
    int levels = LinearQuantizer.levels(bits, false);
    Range range =
        switch (clip) {
          case SQUARED_ERROR -> SquaredErrorClip.range(seen, levels);
          case MIN_MAX -> new Range(seen.smallest(), seen.largest());
          case PERCENTILE, KL_DIVERGENCE -> {
            double threshold = threshold(seen.magnitudes(), magnitudes, clip);
            yield new Range(
                Math.max(seen.smallest(), -threshold), Math.min(seen.largest(), threshold));
          }
        };
    return LinearQuantizer.affine(bits, range.low(), range.high());
  }

  /**
   * Quantizers from the range of least squared error, which is tight, to that of no clipping: the
   * range grows by the same factor from one to the next.
   *
   * @param nonNegative whether the tensor cannot hold a negative value
   * @return the tight one first, at least one, no two alike
   */
  public static List<LinearQuantizer> widening(
      SignedHistogram seen, boolean nonNegative, BitWidth bits, ActivationForm form) {
    LinearQuantizer tight = quantizer(seen, nonNegative, bits, Clip.SQUARED_ERROR, form);
    LinearQuantizer full = quantizer(seen, nonNegative, bits, Clip.MIN_MAX, form);
    Set<LinearQuantizer> all = new LinkedHashSet<>();
    for (int step = 0; step <= WIDENINGS; step++) {
      double share = (double) step / WIDENINGS;
      double low = between(tight.low(), full.low(), share);
      double high = between(tight.clip(), full.clip(), share);
      if (nonNegative) {
        all.add(LinearQuantizer.unsigned(bits, high));
      } else if (form == ActivationForm.SYMMETRIC) {
        all.add(LinearQuantizer.symmetric(bits, high));
      } else {
        all.add(LinearQuantizer.affine(bits, low, high));
      }
    }
    return List.copyOf(all);
  }

  /** Geometrically; in a straight line where one of them is zero. */
  private static double between(double tight, double full, double share) {
    return tight * full > 0
        ? tight * Math.pow(full / tight, share)
        : tight + (full - tight) * share;
  }

  private static double threshold(Histogram magnitudes, int levels, Clip clip) {
    return switch (clip) {
      case KL_DIVERGENCE -> KlClipThreshold.of(magnitudes, levels);
      case SQUARED_ERROR -> SquaredErrorClip.of(magnitudes, levels);
      case PERCENTILE -> PercentileClip.of(magnitudes);
      case MIN_MAX -> magnitudes.max();
    };
  }
}
