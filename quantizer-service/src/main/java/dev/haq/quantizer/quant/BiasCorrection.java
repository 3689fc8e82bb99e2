package dev.haq.quantizer.quant;

/**
 * Moves a layer's bias so that its mean output stays what it was (Nagel et al. 2019,
 * arXiv:1906.04721, section 4.2, empirical form): b' = b - (E[W~ x~] - E[W x]), where ~ means
 * quantized.
 *
 * <p>Departure: means are those of the float network's inputs, put on the layer's own grid; what
 * the quantization of earlier layers does to them is not followed, for it depends on the whole
 * policy. That part is theirs to correct.
 */
public final class BiasCorrection {
  private BiasCorrection() {}

  /**
   * @param groups of the layer's convolution
   * @param weights [outputs][weights of an output]
   * @param quantized the same, as real numbers on their grid
   * @param means E[x], [groups][weights of an output]
   * @param quantizedMeans E[x~], the same
   */
  public static float[] corrected(
      float[] bias,
      int groups,
      float[] weights,
      float[] quantized,
      double[] means,
      double[] quantizedMeans) {
    int outputs = bias.length;
    int perOutput = weights.length / outputs;
    float[] corrected = new float[outputs];
    for (int o = 0; o < outputs; o++) {
      int group = o / (outputs / groups);
      double shift = 0;
      for (int i = 0; i < perOutput; i++) {
        int weight = o * perOutput + i;
        int input = group * perOutput + i;
        shift += quantized[weight] * quantizedMeans[input] - weights[weight] * means[input];
      }
      corrected[o] = (float) (bias[o] - shift);
    }
    return corrected;
  }
}
