package dev.haq.quantizer.train;

import ai.djl.ndarray.NDArray;

/**
 * A layer's weights while they are trained: real numbers, what the network computes with in their
 * place, and how the gradient comes back.
 */
interface TrainedWeights {
  /** What gradient descent changes, in place. */
  NDArray parameter();

  /** What the network computes with, in the shape of the layer's weights; a new array. */
  NDArray quantized();

  /**
   * The gradient of the parameter.
   *
   * @param gradient of what {@link #quantized} answered
   */
  NDArray gradient(NDArray gradient);

  /** Fits the quantizer to the weights as they are now. */
  default void refit() {}

  /** The weights to be stored, in the layer's order. */
  default float[] values() {
    return parameter().toFloatArray();
  }

  /** Weights left in floating point. */
  record Real(NDArray parameter) implements TrainedWeights {
    @Override
    public NDArray quantized() {
      return parameter.duplicate();
    }

    @Override
    public NDArray gradient(NDArray gradient) {
      return gradient;
    }
  }
}
