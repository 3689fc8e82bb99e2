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

  private WeightQuantizer() {}

  /**
   * @param weights output-major, the same number for each output
   * @param outputs how many outputs
   */
  public static QuantizedWeights quantize(
      float[] weights, int outputs, BitWidth bits, WeightScales scales) {
    int levels = LinearQuantizer.levels(bits, true);
    int perOutput = weights.length / outputs;
    double[] clips =
        scales == WeightScales.PER_CHANNEL
            ? perChannel(weights, outputs, perOutput, levels)
            : perTensor(weights, outputs, levels);
    int factor = Math.max(1, WIDENED_CODE / levels);
    byte[] codes = new byte[weights.length];
    float[] codeScales = new float[outputs];
    for (int o = 0; o < outputs; o++) {
      LinearQuantizer quantizer = LinearQuantizer.symmetric(bits, clips[o]);
      codeScales[o] = quantizer.scale() / factor;
      for (int i = o * perOutput; i < (o + 1) * perOutput; i++) {
        codes[i] = (byte) (quantizer.code(weights[i]) * factor);
      }
    }
    return new QuantizedWeights(codes, codeScales);
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
