package dev.haq.quantizer.graphs;

import dev.haq.quantizer.quant.LinearQuantizer;

/**
 * How a quantized graph takes images whose quantization does not depend on anything inside it:
 * already as codes, unsigned bytes [batch][height][width][channels], which are a quarter of the
 * floats to move and need no turning.
 *
 * @param quantizer of the first layer's activations
 * @param channels of a pixel, those beyond the image's own hold zeros
 */
public record CodedInput(LinearQuantizer quantizer, int channels) {
  /** The byte that stands for a value. */
  public byte code(float value) {
    return (byte) (ByteCodes.zeroPoint(quantizer) + quantizer.code(value));
  }
}
