package dev.haq.quantizer.quant;

import dev.haq.model.BitWidth;
import java.util.Optional;

/**
 * A layer's weights on the grid of their own bit-width, as other tools describe them: weight = code
 * * scale of its output, |code| at most 2^(b-1) - 1. The evaluator's own {@link QuantizedWeights}
 * have the same values but codes widened to a byte.
 *
 * @param codes output-major, as the layer's weights
 * @param scales [outputs], above 0; all alike where the layer has one scale
 * @param bits 2..8
 */
public record GridWeights(byte[] codes, float[] scales, BitWidth bits) {
  /**
   * How far from a whole number a code may be. Weights come as products of a code and a scale in
   * single precision, so true codes are off by 1e-5 at most.
   */
  private static final double TOLERANCE = 1e-3;

  /**
   * The narrow form of an evaluated layer's weights. The same values, but for outputs that {@link
   * IntegerLayer#of} put on another grid: these are 2^-30 of their bias wide and are rounded.
   */
  public static GridWeights of(QuantizedWeights wide, BitWidth bits) {
    boolean one = wide.oneScale();
    int outputs = wide.scales().length;
    int perOutput = wide.codes().length / outputs;
    int levels = LinearQuantizer.levels(bits, true);
    byte[] codes = new byte[wide.codes().length];
    float[] scales = new float[outputs];
    int common = one ? commonDivisor(wide.codes(), 0, codes.length) : 1;
    for (int o = 0; o < outputs; o++) {
      int from = o * perOutput;
      int divisor = one ? common : commonDivisor(wide.codes(), from, from + perOutput);
      int largest = largest(wide.codes(), from, from + perOutput);
      if (largest > levels * divisor) {
        scales[o] = wide.scales()[o] * largest / levels;
      } else {
        scales[o] = wide.scales()[o] * divisor;
      }
      for (int i = from; i < from + perOutput; i++) {
        codes[i] = (byte) Math.rint(wide.codes()[i] * (double) wide.scales()[o] / scales[o]);
      }
    }
    return new GridWeights(codes, scales, bits);
  }

  /**
   * Finds the grid that weights lie on: for each output, or for all together, the coarsest on which
   * every weight has a whole code.
   *
   * @return empty where they lie on none of this width, as the centroids of k-means do
   */
  public static Optional<GridWeights> find(
      float[] weights, int outputs, BitWidth bits, boolean perTensor) {
    int levels = LinearQuantizer.levels(bits, true);
    int groups = perTensor ? 1 : outputs;
    int perGroup = weights.length / groups;
    byte[] codes = new byte[weights.length];
    float[] scales = new float[outputs];
    for (int g = 0; g < groups; g++) {
      float scale = gridOf(weights, g * perGroup, (g + 1) * perGroup, levels);
      if (!(scale > 0)) {
        return Optional.empty();
      }
      for (int i = g * perGroup; i < (g + 1) * perGroup; i++) {
        codes[i] = (byte) Math.rint(weights[i] / (double) scale);
      }
      for (int o = g * (outputs / groups); o < (g + 1) * (outputs / groups); o++) {
        scales[o] = scale;
      }
    }
    return Optional.of(new GridWeights(codes, scales, bits));
  }

  /** 0 where there is none. */
  private static float gridOf(float[] weights, int from, int to, int levels) {
    float largest = 0;
    for (int i = from; i < to; i++) {
      largest = Math.max(largest, Math.abs(weights[i]));
    }
    if (largest == 0) {
      return 1;
    }
    for (int top = 1; top <= levels; top++) {
      double scale = (double) largest / top;
      boolean fits = true;
      for (int i = from; i < to && fits; i++) {
        double code = weights[i] / scale;
        fits = Math.abs(code - Math.rint(code)) <= TOLERANCE;
      }
      if (fits) {
        return (float) scale;
      }
    }
    return 0;
  }

  private static int commonDivisor(byte[] codes, int from, int to) {
    int divisor = 0;
    for (int i = from; i < to && divisor != 1; i++) {
      int a = divisor;
      int b = Math.abs(codes[i]);
      while (b != 0) {
        int rest = a % b;
        a = b;
        b = rest;
      }
      divisor = a;
    }
    return Math.max(1, divisor);
  }

  private static int largest(byte[] codes, int from, int to) {
    int largest = 0;
    for (int i = from; i < to; i++) {
      largest = Math.max(largest, Math.abs(codes[i]));
    }
    return largest;
  }

  /** Whether one scale serves all outputs. */
  public boolean perTensor() {
    return QuantizedWeights.oneScale(scales);
  }

  /** The weights as real numbers. */
  public float[] values() {
    float[] values = new float[codes.length];
    int perOutput = codes.length / scales.length;
    for (int i = 0; i < codes.length; i++) {
      values[i] = codes[i] * scales[i / perOutput];
    }
    return values;
  }

  /** The nearest weights whose scales are powers of two. */
  public GridWeights powerOfTwo() {
    int levels = LinearQuantizer.levels(bits, true);
    int perOutput = codes.length / scales.length;
    byte[] rounded = new byte[codes.length];
    float[] powers = new float[scales.length];
    for (int o = 0; o < scales.length; o++) {
      powers[o] = nearestPowerOfTwo(scales[o]);
      for (int i = o * perOutput; i < (o + 1) * perOutput; i++) {
        double code = Math.rint(codes[i] * (double) scales[o] / powers[o]);
        rounded[i] = (byte) Math.max(-levels, Math.min(levels, code));
      }
    }
    return new GridWeights(rounded, powers, bits);
  }

  /** Nearest by ratio. */
  public static float nearestPowerOfTwo(float scale) {
    return (float) Math.pow(2, Math.rint(Math.log(scale) / Math.log(2)));
  }
}
