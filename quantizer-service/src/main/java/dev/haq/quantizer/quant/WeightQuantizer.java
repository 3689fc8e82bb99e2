package dev.haq.quantizer.quant;

import dev.haq.model.BitWidth;
import dev.haq.model.Recipe.WeightScales;

/**
 * Quantizes a layer's weights, symmetric, clipped by {@link KlClipThreshold} (HAQ paper, section
 * 3.4).
 *
 * <p>Departure for per-channel scales: a channel of a few dozen weights makes no histogram. The
 * weights of all channels, each divided by its channel's largest magnitude, make one together; the
 * share of the range that it says to keep is then applied to every channel.
 *
 * <p>Departure at 8 bits, per channel: the clip threshold of a channel is raised where two
 * neighbouring codes of one sign would add up to more than 128. Processors without VNNI add two
 * products in 16 bits, and would otherwise need arithmetic that takes twice as long. It costs such
 * a channel a fraction of a bit; the codes are the same on every processor.
 */
public final class WeightQuantizer {
  /**
   * Codes are multiplied, and scales divided, by the largest whole number that keeps codes within
   * this: the bias is added on the grid of activation scale times weight scale, which the few
   * levels of low bit-widths would make coarse. Not 127, so that sums of two products with 8-bit
   * activations (at most 2 * 255 * 63) stay within 16 bits on processors that add them there.
   */
  private static final int WIDENED_CODE = 63;

  /**
   * Fewer than for activations, since layers have fewer weights; on ResNet-20 at 3 bits 512 bins
   * gave 82 % top-1, 2048 bins 76 %, no clipping 73 %.
   */
  private static final int HISTOGRAM_BINS = 512;

  /** What two neighbouring codes of one sign may add up to: 255 * 128 stays within 16 bits. */
  private static final int LARGEST_PAIR = 128;

  /** More than a scale needs to grow at most, 254 / 128, in steps of a thousandth. */
  private static final int MOST_WIDENINGS = 1000;

  private WeightQuantizer() {}

  /**
   * @param weights in the order that {@code shape} says
   */
  public static QuantizedWeights quantize(
      float[] weights, WeightShape shape, BitWidth bits, WeightScales scales) {
    int levels = LinearQuantizer.levels(bits, true);
    int outputs = shape.outputs();
    int perOutput = shape.perOutput();
    double[] clips =
        scales == WeightScales.PER_CHANNEL
            ? perChannel(weights, outputs, perOutput, levels)
            : perTensor(weights, outputs, levels);
    int factor = Math.max(1, WIDENED_CODE / levels);
    byte[] codes = new byte[weights.length];
    float[] codeScales = new float[outputs];
    int largestPair = 0;
    for (int o = 0; o < outputs; o++) {
      int pair = 0;
      double clip = clips[o];
      for (int attempt = 0; attempt < MOST_WIDENINGS; attempt++) {
        LinearQuantizer quantizer = LinearQuantizer.symmetric(bits, clip);
        codeScales[o] = quantizer.scale() / factor;
        for (int i = o * perOutput; i < (o + 1) * perOutput; i++) {
          codes[i] = (byte) (quantizer.code(weights[i]) * factor);
        }
        pair = shape.largestPair(codes, o);
        if (pair <= LARGEST_PAIR || scales == WeightScales.PER_TENSOR) {
          break;
        }
        clip *= Math.max(1.001, (double) pair / LARGEST_PAIR);
      }
      largestPair = Math.max(largestPair, pair);
    }
    return new QuantizedWeights(codes, codeScales, largestPair);
  }

  private static double[] perTensor(float[] weights, int outputs, int levels) {
    double[] clips = new double[outputs];
    java.util.Arrays.fill(clips, KlClipThreshold.of(Histogram.of(weights, HISTOGRAM_BINS), levels));
    return clips;
  }

  private static double[] perChannel(float[] weights, int outputs, int perOutput, int levels) {
    double[] clips = new double[outputs];
    Histogram relative = new Histogram(1, HISTOGRAM_BINS);
    for (int o = 0; o < outputs; o++) {
      double largest = 0;
      for (int i = o * perOutput; i < (o + 1) * perOutput; i++) {
        largest = Math.max(largest, Math.abs(weights[i]));
      }
      clips[o] = largest;
      for (int i = o * perOutput; largest > 0 && i < (o + 1) * perOutput; i++) {
        relative.add((float) (weights[i] / largest));
      }
    }
    double keptShare = KlClipThreshold.of(relative, levels);
    for (int o = 0; o < outputs; o++) {
      clips[o] *= keptShare;
    }
    return clips;
  }
}
