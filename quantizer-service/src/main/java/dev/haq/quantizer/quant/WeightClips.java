package dev.haq.quantizer.quant;

import dev.haq.model.BitWidth;
import dev.haq.model.Recipe.Clip;
import dev.haq.model.Recipe.WeightScales;
import java.util.Arrays;

/**
 * The clip thresholds of a layer's weights, one for each output.
 *
 * <p>Departure for per-channel thresholds by divergence or percentile: a channel of a few dozen
 * weights makes no histogram. The weights of all channels, each divided by its channel's largest
 * magnitude, make one together; the share of the range that it says to keep is then applied to
 * every channel.
 */
public final class WeightClips {
  /**
   * Fewer than for activations, since layers have fewer weights; on ResNet-20 at 3 bits 512 bins
   * gave 82 % top-1, 2048 bins 76 %, no clipping 73 %.
   */
  private static final int HISTOGRAM_BINS = 512;

  private WeightClips() {}

  /**
   * @param weights in the order that {@code shape} says
   * @return [outputs], at least 0; all the same where there is one scale for the tensor
   */
  public static double[] of(
      float[] weights, WeightShape shape, BitWidth bits, Clip clip, WeightScales scales) {
    int levels = LinearQuantizer.levels(bits, true);
    int outputs = shape.outputs();
    double[] clips = new double[outputs];
    if (scales == WeightScales.PER_TENSOR) {
      Arrays.fill(
          clips,
          switch (clip) {
            case MIN_MAX -> MinMax.of(weights, 0, weights.length);
            case SQUARED_ERROR -> SquaredErrorClip.of(weights, 0, weights.length, levels);
            case KL_DIVERGENCE -> KlClipThreshold.of(Histogram.of(weights, HISTOGRAM_BINS), levels);
            case PERCENTILE -> PercentileClip.of(Histogram.of(weights, HISTOGRAM_BINS));
          });
      return clips;
    }
    int perOutput = shape.perOutput();
    for (int o = 0; o < outputs; o++) {
      clips[o] =
          clip == Clip.SQUARED_ERROR
              ? SquaredErrorClip.of(weights, o * perOutput, perOutput, levels)
              : MinMax.of(weights, o * perOutput, perOutput);
    }
    if (clip == Clip.KL_DIVERGENCE || clip == Clip.PERCENTILE) {
      Histogram relative = relative(weights, clips, perOutput);
      double keptShare =
          clip == Clip.KL_DIVERGENCE
              ? KlClipThreshold.of(relative, levels)
              : PercentileClip.of(relative);
      for (int o = 0; o < outputs; o++) {
        clips[o] *= keptShare;
      }
    }
    return clips;
  }

  /** Of all weights, each divided by its channel's largest magnitude. */
  private static Histogram relative(float[] weights, double[] largest, int perOutput) {
    Histogram relative = new Histogram(1, HISTOGRAM_BINS);
    for (int i = 0; i < weights.length; i++) {
      double most = largest[i / perOutput];
      if (most > 0) {
        relative.add((float) (weights[i] / most));
      }
    }
    return relative;
  }
}
