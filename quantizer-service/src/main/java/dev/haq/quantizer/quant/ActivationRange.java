package dev.haq.quantizer.quant;

import dev.haq.model.BitWidth;
import dev.haq.model.Recipe.Clip;
import dev.haq.quantizer.quant.Numerics.ActivationForm;

/** The quantizer of a tensor of activations, one for the whole tensor (paper, section 3.4). */
public final class ActivationRange {
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

  private static double threshold(Histogram magnitudes, int levels, Clip clip) {
    return switch (clip) {
      case KL_DIVERGENCE -> KlClipThreshold.of(magnitudes, levels);
      case SQUARED_ERROR -> SquaredErrorClip.of(magnitudes, levels);
      case PERCENTILE -> PercentileClip.of(magnitudes);
      case MIN_MAX -> magnitudes.max();
    };
  }
}
