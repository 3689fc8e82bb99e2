package dev.haq.quantizer.train;

import ai.djl.ndarray.NDArray;

/**
 * Products with a number where gradients are wanted. {@code NDArray.mul(Number)} of DJL's PyTorch
 * engine puts the number in an array in Java's memory and closes that array at once. The library
 * keeps only the address, and reads the number there again in the backward pass, when the garbage
 * collector may have given the memory away: the gradients are then of any size. Here the array
 * lives as long as its factor's manager. The same goes for division and powers; sums read nothing
 * again.
 */
final class Scalars {
  private Scalars() {}

  /** x * factor. */
  static NDArray times(NDArray x, float factor) {
    return x.mul(x.getManager().create(factor));
  }

  /** x to the power of {@code exponent}. */
  static NDArray power(NDArray x, float exponent) {
    return x.pow(x.getManager().create(exponent));
  }
}
