package dev.haq.quantizer.train;

import ai.djl.ndarray.NDArray;

/**
 * Rounding with the straight-through estimator (Bengio, Leonard, Courville 2013, arXiv:1308.3432):
 * forward the nearest whole number, halves to even; backward as if it were not there.
 *
 * <p>Adding 1.5 * 2^23 to a float leaves no bits for fractions, so the sum is rounded; subtracting
 * it again gives the whole number. An addition passes gradients on unchanged, so the two operations
 * are the estimator, at a third of the cost of writing it out.
 */
final class Rounding {
  /** Magnitudes below 2^22 are rounded rightly. */
  private static final float NO_FRACTIONS = 0x1.8p23f;

  private Rounding() {}

  /** Rounds {@code x} in place. */
  static NDArray inPlace(NDArray x) {
    return x.addi(NO_FRACTIONS).subi(NO_FRACTIONS);
  }
}
