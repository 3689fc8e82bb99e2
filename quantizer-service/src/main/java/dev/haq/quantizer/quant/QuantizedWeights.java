package dev.haq.quantizer.quant;

/**
 * A layer's weights as signed bytes: weight = code * scale of its output.
 *
 * @param codes output-major, as the layer's weights
 * @param scales [outputs], above 0
 */
public record QuantizedWeights(byte[] codes, float[] scales) {
  /** The quantized weights as real numbers, in the layer's order. */
  public float[] values() {
    float[] values = new float[codes.length];
    int perOutput = codes.length / scales.length;
    for (int i = 0; i < codes.length; i++) {
      values[i] = codes[i] * scales[i / perOutput];
    }
    return values;
  }

  /** The largest magnitude of a code, 0..127. */
  public int largestCode() {
    int largest = 0;
    for (byte code : codes) {
      largest = Math.max(largest, Math.abs(code));
    }
    return largest;
  }
}
