package dev.haq.quantizer.quant;

import dev.haq.model.BitWidth;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;

/**
 * Linear quantization (HAQ paper, section 3.4): q(x) = round(clamp(x, -c, c) / s) * s with s = c /
 * (2^(b-1) - 1), or for values that are never negative clamp(x, 0, c) and s = c / (2^b - 1). Halves
 * round to even, as ONNX's operators do.
 *
 * <p>Beyond the paper, the affine form (Jacob et al. 2018, arXiv:1712.05877, section 2.1) for
 * values of which few are negative: 2^b codes lie unevenly about 0. The zero point of its bytes is
 * {@code -lowest}; zero itself always has a code, so that padding and ReLU are exact.
 *
 * @param scale s, above 0
 * @param lowest the smallest code, at most 0: 0 where unsigned, -(2^(b-1) - 1) where symmetric
 * @param highest the largest code, at least 0 and at most 255 above {@code lowest}
 */
public record LinearQuantizer(float scale, int lowest, int highest) {
  /** The narrowest width that has a code besides zero, signed. */
  public static final int NARROWEST = 2;

  /** The widest width whose codes are bytes. */
  public static final int WIDEST = 8;

  private static final int LARGEST_BYTE = 255;

  /** 1.5 * 2^23: added and taken away again, it rounds single precision to whole numbers. */
  private static final float ROUNDING = 0x1.8p23f;

  public LinearQuantizer {
    if (!(scale > 0)
        || Float.isInfinite(scale)
        || lowest > 0
        || highest < 0
        || highest - lowest < 1
        || highest - lowest > LARGEST_BYTE) {
      throw HaqException.invalid(
          "quantizer with scale %s and codes %d..%d: the scale must be above 0, the codes hold 0 and fit a byte",
          scale, lowest, highest);
    }
  }

  /** For values of both signs. */
  public static LinearQuantizer symmetric(BitWidth bits, double clip) {
    int levels = levels(bits, true);
    return new LinearQuantizer(scale(clip, levels), -levels, levels);
  }

  /** For values that are never negative. */
  public static LinearQuantizer unsigned(BitWidth bits, double clip) {
    int levels = levels(bits, false);
    return new LinearQuantizer(scale(clip, levels), 0, levels);
  }

  /**
   * For values of both signs, unevenly about 0.
   *
   * @param low the smallest value to tell apart; above 0 it is taken for 0
   * @param high the largest; below 0 it is taken for 0
   */
  public static LinearQuantizer affine(BitWidth bits, double low, double high) {
    int levels = levels(bits, false);
    double from = Math.min(low, 0);
    double to = Math.max(high, 0);
    float scale = scale(to - from, levels);
    int lowest = (int) Math.max(-levels, Math.rint(from / scale));
    return new LinearQuantizer(scale, lowest, lowest + levels);
  }

  /** How many magnitudes other than zero {@code bits} can tell apart. */
  public static int levels(BitWidth bits, boolean signed) {
    checkWidth(bits);
    return signed ? (1 << (bits.bits() - 1)) - 1 : (1 << bits.bits()) - 1;
  }

  /** Refuses widths that have no byte codes. */
  public static void checkWidth(BitWidth bits) {
    if (bits.bits() < NARROWEST || bits.bits() > WIDEST) {
      throw new HaqException(
          Reason.INVALID_BITS,
          "bit-width " + bits + " cannot be evaluated: use 2 to 8, or none for float");
    }
  }

  /** A tensor of zeros alone has no scale of its own: any does. */
  private static float scale(double clip, int levels) {
    float scale = (float) (clip / levels);
    return scale > 0 ? scale : 1;
  }

  public boolean signed() {
    return lowest < 0;
  }

  /** The largest value that is not clipped. */
  public float clip() {
    return scale * highest;
  }

  /** The smallest value that is not clipped. */
  public float low() {
    return scale * lowest;
  }

  /** round(clamp(x, -c, c) / s). */
  public int code(float value) {
    return (int) Math.max(lowest, Math.min(highest, Math.rint(value / scale)));
  }

  /**
   * Adds each value's code to a sum, many at once: what {@link #code} does, in single precision
   * alone.
   */
  void addCodes(float[] values, float[] sums) {
    float least = lowest;
    float most = highest;
    for (int i = 0; i < sums.length; i++) {
      float steps = Math.max(least, Math.min(most, values[i] / scale));
      sums[i] += steps + ROUNDING - ROUNDING;
    }
  }

  /** q(x). */
  public float quantize(float value) {
    return code(value) * scale;
  }
}
