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
   * a coarser one, at most 2^-30 of the bias wide.
   */
  public static IntegerLayer of(
      LinearQuantizer activations, QuantizedWeights weights, float[] bias) {
    int outputs = bias.length;
    int perOutput = weights.codes().length / outputs;
    byte[] codes = weights.codes();
    float[] scales = weights.scales();
    int[] biasCodes = new int[outputs];
    for (int o = 0; o < outputs; o++) {
      double grid = (double) activations.scale() * scales[o];
      if (Math.abs(bias[o]) > LARGEST_BIAS * grid) {
        if (codes == weights.codes()) {
          codes = codes.clone();
          scales = scales.clone();
        }
        float coarser = (float) (Math.abs(bias[o]) / LARGEST_BIAS / activations.scale());
        for (int i = o * perOutput; i < (o + 1) * perOutput; i++) {
          codes[i] = (byte) Math.rint((double) codes[i] * scales[o] / coarser);
        }
        scales[o] = coarser;
        grid = (double) activations.scale() * coarser;
      }
      biasCodes[o] = (int) Math.rint(bias[o] / grid);
    }
    return new IntegerLayer(
        activations,
        new QuantizedWeights(codes, scales, weights.largestPair(), weights.largestPaddedPair()),
        biasCodes);
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
