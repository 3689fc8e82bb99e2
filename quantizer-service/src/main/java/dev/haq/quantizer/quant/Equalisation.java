package dev.haq.quantizer.quant;

/**
 * Scales the channels between two layers so that the weights of both range equally far in each
 * (Nagel et al. 2019, arXiv:1906.04721, section 4.1): s = sqrt(r1 r2) / r2 for a channel whose
 * weights reach r1 in the layer that writes it and r2 in the one that reads it, W1' = W1 / s, b1' =
 * b1 / s, W2' = W2 s. What lies between must scale along, as a ReLU does: f(x / s) s = f(x).
 *
 * <p>It is of use where a tensor has one weight scale; with a scale for each output channel the
 * first layer needs none, and only the second can gain.
 */
public final class Equalisation {
  private Equalisation() {}

  /**
   * @param writtenReach r1, the largest magnitudes by channel
   * @param readReach r2, the same
   * @return s, above 0; 1 for a channel of which nothing is written or read
   */
  public static double[] scales(double[] writtenReach, double[] readReach) {
    double[] scales = new double[writtenReach.length];
    for (int c = 0; c < scales.length; c++) {
      double scale = Math.sqrt(writtenReach[c] / readReach[c]);
      scales[c] = scale > 0 && Double.isFinite(scale) ? scale : 1;
    }
    return scales;
  }

  /** The largest magnitude of each output's weights. */
  public static double[] writtenReach(float[] weights, int outputs) {
    double[] reach = new double[outputs];
    int perOutput = weights.length / outputs;
    for (int o = 0; o < outputs; o++) {
      reach[o] = MinMax.of(weights, o * perOutput, perOutput);
    }
    return reach;
  }

  /**
   * The largest magnitude of the weights that each input channel is multiplied with.
   *
   * @param weights [outputs][channels of a group][kernel area]
   * @param channels of all groups
   */
  public static double[] readReach(
      float[] weights, int outputs, int groups, int channels, int kernelArea) {
    double[] reach = new double[channels];
    for (int i = 0; i < weights.length; i++) {
      int c = inputChannel(i, outputs, groups, channels, kernelArea);
      reach[c] = Math.max(reach[c], Math.abs(weights[i]));
    }
    return reach;
  }

  /** W1 / s, or b1 / s where there is one value for each output. */
  public static float[] written(float[] values, double[] scales) {
    int perOutput = values.length / scales.length;
    float[] scaled = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      scaled[i] = (float) (values[i] / scales[i / perOutput]);
    }
    return scaled;
  }

  /** W2 s. */
  public static float[] read(
      float[] weights, int outputs, int groups, int kernelArea, double[] scales) {
    float[] scaled = new float[weights.length];
    for (int i = 0; i < weights.length; i++) {
      int c = inputChannel(i, outputs, groups, scales.length, kernelArea);
      scaled[i] = (float) (weights[i] * scales[c]);
    }
    return scaled;
  }

  private static int inputChannel(
      int weight, int outputs, int groups, int channels, int kernelArea) {
    int ofGroup = channels / groups;
    int output = weight / (ofGroup * kernelArea);
    return output / (outputs / groups) * ofGroup + weight / kernelArea % ofGroup;
  }
}
