package dev.haq.quantizer.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;

/** What a tensor of a network is while it runs on the training library. */
sealed interface NdValue {
  /** Real numbers that the network computes. */
  record Real(NDArray array) implements NdValue {}

  /** Real numbers of the model; they become an array where one is needed. */
  record Constant(float[] values, Shape shape) implements NdValue {}

  /**
   * Whole numbers that only shapes are made of; they stay on this side of the library, so that
   * nothing waits for a device.
   *
   * @param scalar whether it has no dimensions; else it is a vector
   */
  record Whole(long[] numbers, boolean scalar) implements NdValue {}

  /** An input that the node leaves out. */
  record Absent() implements NdValue {}
}
