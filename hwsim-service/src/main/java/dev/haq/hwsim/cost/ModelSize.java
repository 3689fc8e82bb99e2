package dev.haq.hwsim.cost;

import dev.haq.model.BitWidth;
import dev.haq.model.HaqException;
import dev.haq.model.Layer;
import dev.haq.model.Network;
import dev.haq.model.Reason;
import dev.haq.model.Window;

/**
 * Bytes of a network's parameters: weights at their bit-width, everything else as 32-bit float, and
 * codebooks where they are asked for.
 */
public final class ModelSize {
  /** Most weights in one layer; below it bytes are exact in a double. */
  private static final double MAX_WEIGHTS = 1e12;

  private static final int FLOAT_BYTES = 4;

  private ModelSize() {}

  /** Bytes of one layer: n_weights * bits / 8 + 4 * (biases and batch-norm parameters). */
  public static double bytes(Layer layer, BitWidth weights) {
    return layer.weights() * (double) weights.bits() / 8
        + (double) FLOAT_BYTES * layer.floatParameters();
  }

  /**
   * Bytes of one layer, with its codebook where k-means makes its weights: 2^bits centroids, 32-bit
   * float each (HAQ paper, 3.4; what it prints leaves them out). A float layer has none.
   */
  public static double bytes(Layer layer, BitWidth weights, boolean codebook) {
    double bytes = bytes(layer, weights);
    return codebook && !weights.isFloat() ? bytes + FLOAT_BYTES * (1L << weights.bits()) : bytes;
  }

  /** Bytes of the parameters outside the quantizable layers. */
  public static double otherBytes(Network network) {
    return (double) FLOAT_BYTES * network.otherParameters();
  }

  /**
   * Refuses layers whose counts would overflow.
   *
   * @throws HaqException TOO_LARGE naming the layer
   */
  public static void check(Network network) {
    if (network.otherParameters() < 0 || network.otherParameters() > MAX_WEIGHTS) {
      throw HaqException.invalid(
          "other_parameters %d: give 0 to %.0e", network.otherParameters(), MAX_WEIGHTS);
    }
    for (Layer layer : network.layers()) {
      if (weights(layer) > MAX_WEIGHTS) {
        throw new HaqException(
            Reason.TOO_LARGE,
            "layer %s: %.3g weights, but at most %.0e are handled"
                .formatted(layer.name(), weights(layer), MAX_WEIGHTS));
      }
    }
  }

  /** Number of weights, without overflow whatever the geometry. */
  static double weights(Layer layer) {
    if (layer instanceof Layer.Conv2d conv) {
      return kernel(conv.window()) * conv.inputs() / conv.groups() * conv.outputs();
    }
    if (layer instanceof Layer.DepthwiseConv2d conv) {
      return kernel(conv.window()) * conv.outputs();
    }
    return (double) layer.inputs() * layer.outputs();
  }

  /** Vectors each weight is multiplied with for one image: output pixels, or rows. */
  static double vectors(Layer layer) {
    if (layer instanceof Layer.Conv2d conv) {
      return conv.output().pixels();
    }
    if (layer instanceof Layer.DepthwiseConv2d conv) {
      return conv.output().pixels();
    }
    return ((Layer.Linear) layer).rows();
  }

  private static double kernel(Window window) {
    return (double) window.kernelHeight() * window.kernelWidth();
  }
}
