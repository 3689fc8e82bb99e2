package dev.haq.quantizer.graphs;

import dev.haq.quantizer.onnx.Tensors;
import dev.haq.quantizer.quant.IntegerLayer;
import dev.haq.quantizer.quant.LinearQuantizer;
import dev.haq.quantizer.quant.QuantizedWeights;
import java.util.List;

/**
 * How codes lie in bytes: activations always without a sign (the lowest code is stored as 0),
 * weights signed where the processor multiplies such pairs exactly, else 128 higher.
 *
 * <p>Unsigned activations times signed weights are the fast pair. Processors with AVX2 or AVX-512
 * but without VNNI add two of their products in 16 bits, where they saturate; there the pair is
 * used only for layers whose codes cannot get that far.
 */
final class ByteCodes {
  /** Zero of weight codes in an unsigned byte. */
  static final int MIDDLE = 128;

  private static final int LARGEST_16_BIT = Short.MAX_VALUE;

  /** Outputs whose weights are turned together, so that they stay in the processor's cache. */
  private static final int TURNED_AT_ONCE = 32;

  private final boolean addsInSixteenBits;

  private ByteCodes(boolean addsInSixteenBits) {
    this.addsInSixteenBits = addsInSixteenBits;
  }

  static ByteCodes of(Processor processor) {
    return new ByteCodes(processor == Processor.ADDS_IN_16_BITS);
  }

  /** The byte of code 0: the lowest code is byte 0. */
  static int zeroPoint(LinearQuantizer activations) {
    return -activations.lowest();
  }

  /** Whether the layer's weights can be signed bytes. */
  boolean signedWeights(IntegerLayer layer) {
    return signed(layer, layer.weights().largestPair());
  }

  /** The same where the channels of a pixel may be filled up with zeros. */
  boolean signedPaddedWeights(IntegerLayer layer) {
    QuantizedWeights weights = layer.weights();
    return signed(layer, Math.max(weights.largestPair(), weights.largestPaddedPair()));
  }

  private boolean signed(IntegerLayer layer, int largestPair) {
    int largestActivation = zeroPoint(layer.activations()) + layer.activations().highest();
    return !addsInSixteenBits || (long) largestActivation * largestPair <= LARGEST_16_BIT;
  }

  /**
   * Adds weight codes in some order as a constant.
   *
   * @return its name and its zero-point's, which has one value for each output
   */
  static List<String> weights(
      GraphBuilder builder, byte[] codes, boolean signed, int outputs, int... dims) {
    if (signed) {
      return List.of(
          builder.constant(Tensors.int8(builder.fresh("weight"), codes, dims)),
          builder.constant(Tensors.int8(builder.fresh("zero"), new byte[outputs], outputs)));
    }
    byte[] raised = new byte[codes.length];
    for (int i = 0; i < codes.length; i++) {
      raised[i] = (byte) (codes[i] + MIDDLE);
    }
    byte[] zeros = new byte[outputs];
    java.util.Arrays.fill(zeros, (byte) MIDDLE);
    return List.of(
        builder.constant(Tensors.uint8(builder.fresh("weight"), raised, dims)),
        builder.constant(Tensors.uint8(builder.fresh("zero"), zeros, outputs)));
  }

  /**
   * Weight codes as a matrix that patches are multiplied with: from [outputs][channels][area] to
   * [area * channels][outputs].
   *
   * @param area of the kernel; 1 for what has none
   */
  static byte[] rows(byte[] from, int outputs, int area) {
    int channels = from.length / outputs / area;
    byte[] rows = new byte[from.length];
    for (int first = 0; first < outputs; first += TURNED_AT_ONCE) {
      int end = Math.min(outputs, first + TURNED_AT_ONCE);
      for (int c = 0; c < channels; c++) {
        for (int k = 0; k < area; k++) {
          for (int o = first; o < end; o++) {
            rows[(k * channels + c) * outputs + o] = from[(o * channels + c) * area + k];
          }
        }
      }
    }
    return rows;
  }
}
