package dev.haq.quantizer.quant;

import dev.haq.model.BitWidth;
import dev.haq.model.Recipe.WeightScales;

/**
 * Puts a layer's weights on a symmetric grid (HAQ paper, section 3.4) whose clip thresholds {@link
 * WeightClips} finds.
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

  /** What two neighbouring codes of one sign may add up to: 255 * 128 stays within 16 bits. */
  private static final int LARGEST_PAIR = 128;

  /** More than a scale needs to grow at most, 254 / 128, in steps of a thousandth. */
  private static final int MOST_WIDENINGS = 1000;

  private WeightQuantizer() {}

  /** By how much codes are multiplied and scales divided. */
  private static int widening(BitWidth bits) {
    return Math.max(1, WIDENED_CODE / LinearQuantizer.levels(bits, true));
  }

  /**
   * The steps of the grid that {@link #quantize} rounds to, before codes are multiplied.
   *
   * @return [outputs], above 0
   */
  public static float[] steps(QuantizedWeights quantized, BitWidth bits) {
    float[] steps = quantized.scales().clone();
    for (int o = 0; o < steps.length; o++) {
      steps[o] *= widening(bits);
    }
    return steps;
  }

  /** Chooses the codes of one output's weights. */
  public interface Rounding {
    /** To the nearest code. */
    Rounding NEAREST =
        (weights, output, quantizer, codes) -> {
          int perOutput = codes.length;
          for (int i = 0; i < perOutput; i++) {
            codes[i] = quantizer.code(weights[output * perOutput + i]);
          }
        };

    /**
     * @param weights of the whole layer
     * @param output which of its outputs
     * @param codes [weights of an output], to be filled
     */
    void codes(float[] weights, int output, LinearQuantizer quantizer, int[] codes);
  }

  /**
   * @param weights in the order that {@code shape} says
   * @param clips [outputs], see {@link WeightClips}
   * @param scales whether outputs may be given thresholds of their own
   */
  public static QuantizedWeights quantize(
      float[] weights,
      WeightShape shape,
      BitWidth bits,
      double[] clips,
      WeightScales scales,
      Rounding rounding) {
    int factor = widening(bits);
    int perOutput = shape.perOutput();
    byte[] codes = new byte[weights.length];
    float[] codeScales = new float[shape.outputs()];
    int[] row = new int[perOutput];
    int largestPair = 0;
    int largestPaddedPair = 0;
    for (int o = 0; o < shape.outputs(); o++) {
      int pair = 0;
      double clip = clips[o];
      for (int attempt = 0; attempt < MOST_WIDENINGS; attempt++) {
        LinearQuantizer quantizer = LinearQuantizer.symmetric(bits, clip);
        codeScales[o] = quantizer.scale() / factor;
        rounding.codes(weights, o, quantizer, row);
        for (int i = 0; i < perOutput; i++) {
          codes[o * perOutput + i] = (byte) (row[i] * factor);
        }
        pair = shape.largestPair(codes, o);
        if (pair <= LARGEST_PAIR || scales == WeightScales.PER_TENSOR) {
          break;
        }
        clip *= Math.max(1.001, (double) pair / LARGEST_PAIR);
      }
      largestPair = Math.max(largestPair, pair);
      largestPaddedPair = Math.max(largestPaddedPair, shape.largestPaddedPair(codes, o));
    }
    return new QuantizedWeights(codes, codeScales, largestPair, largestPaddedPair);
  }
}
