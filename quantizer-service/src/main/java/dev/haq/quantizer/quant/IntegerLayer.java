package dev.haq.quantizer.quant;

/**
 * A layer in whole numbers (Jacob et al. 2018, arXiv:1712.05877, section 2.2): output = (sum of
 * activation code * weight code + bias code) * activation scale * weight scale of the output.
 *
 * @param activations of its input
 * @param weights as bytes
 * @param bias [outputs] on the grid of activation scale * weight scale
 */
public record IntegerLayer(LinearQuantizer activations, QuantizedWeights weights, int[] bias) {
  /** Leaves room for the sum of products above the bias in 32 bits. */
  private static final double LARGEST_BIAS = 1 << 30;

  /**
   * Puts a layer's bias on its integer grid. An output whose weights are next to nothing beside its
   * bias (a dead channel with batch-norm folded in) would overflow the grid: its weights are put on
   * another one, at most 2^-30 of the bias wide. So are those that are all zeros (of a channel that
   * was pruned), which gave no scale, unless a tensor's one scale is theirs.
   */
  public static IntegerLayer of(
      LinearQuantizer activations, QuantizedWeights weights, float[] bias) {
    int outputs = bias.length;
    int perOutput = weights.codes().length / outputs;
    byte[] codes = weights.codes();
    float[] scales = weights.scales();
    boolean oneScale = weights.oneScale() && !allZero(codes, 0, codes.length);
    int[] biasCodes = new int[outputs];
    for (int o = 0; o < outputs; o++) {
      double grid = (double) activations.scale() * scales[o];
      boolean ownGrid =
          bias[o] != 0 && !oneScale && allZero(codes, o * perOutput, (o + 1) * perOutput);
      if (ownGrid || Math.abs(bias[o]) > LARGEST_BIAS * grid) {
        if (codes == weights.codes()) {
          codes = codes.clone();
          scales = scales.clone();
        }
        double least = Math.abs(bias[o]) / LARGEST_BIAS / activations.scale();
        float scale = (float) Math.max(least, Float.MIN_NORMAL);
        for (int i = o * perOutput; i < (o + 1) * perOutput; i++) {
          codes[i] = (byte) Math.rint((double) codes[i] * scales[o] / scale);
        }
        scales[o] = scale;
        grid = (double) activations.scale() * scale;
      }
      biasCodes[o] = (int) Math.rint(bias[o] / grid);
    }
    return new IntegerLayer(
        activations,
        new QuantizedWeights(codes, scales, weights.largestPair(), weights.largestPaddedPair()),
        biasCodes);
  }

  private static boolean allZero(byte[] codes, int from, int to) {
    for (int i = from; i < to; i++) {
      if (codes[i] != 0) {
        return false;
      }
    }
    return true;
  }

  /** The bias as real numbers. */
  public float[] biasValues() {
    float[] values = new float[bias.length];
    for (int o = 0; o < values.length; o++) {
      values[o] = bias[o] * (activations.scale() * weights.scales()[o]);
    }
    return values;
  }
}
