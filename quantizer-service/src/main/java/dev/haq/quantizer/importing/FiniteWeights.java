package dev.haq.quantizer.importing;

import dev.haq.model.HaqException;
import dev.haq.quantizer.onnx.GraphNode.Quantizable;

/**
 * Refuses layers whose weights or bias, batch-norm folded in, are not all finite: neither scores
 * nor scales come of them. Other constants, such as masks and bounds, may be infinite.
 */
final class FiniteWeights {
  private FiniteWeights() {}

  /**
   * @param folded whether a batch-norm was folded into the layer
   * @throws HaqException INVALID_MODEL naming the layer and how many such values it has
   */
  static void require(Quantizable layer, boolean folded) {
    String name =
        "layer '" + layer.layer().name() + "'" + (folded ? ", its batch-norm folded in," : "");
    require(layer.weights(), name + " has weights that are not finite");
    require(layer.bias(), name + " has a bias that is not finite");
  }

  private static void require(float[] values, String otherwise) {
    for (float value : values) {
      if (!Float.isFinite(value)) {
        throw GraphDraft.invalid(
            ("%s (%d of %d values, such as %s): the training diverged, or values overflowed in 16"
                    + " bits; send a model whose weights are finite")
                .formatted(otherwise, notFinite(values), values.length, value));
      }
    }
  }

  private static int notFinite(float[] values) {
    int count = 0;
    for (float value : values) {
      count += Float.isFinite(value) ? 0 : 1;
    }
    return count;
  }
}
