package dev.haq.quantizer.quant;

/**
 * A layer's weights as signed bytes: weight = code * scale of its output.
 *
 * @param codes output-major, as the layer's weights
 * @param scales [outputs], above 0
 * @param largestPair no two codes of one sign whose products are added add up to more, see {@link
 *     WeightShape#largestPair}
 * @param largestPaddedPair the same of products that are added with channels filled up to an even
 *     number
 */
public record QuantizedWeights(
    byte[] codes, float[] scales, int largestPair, int largestPaddedPair) {
  /** Whether one scale serves all outputs. */
  boolean oneScale() {
    return oneScale(scales);
  }

  static boolean oneScale(float[] scales) {
    for (float scale : scales) {
      if (scale != scales[0]) {
        return false;
      }
    }
    return true;
  }

  /** The quantized weights as real numbers, in the layer's order. */
  public float[] values() {
    float[] values = new float[codes.length];
    int perOutput = codes.length / scales.length;
    for (int i = 0; i < codes.length; i++) {
      values[i] = codes[i] * scales[i / perOutput];
    }
    return values;
  }
}
