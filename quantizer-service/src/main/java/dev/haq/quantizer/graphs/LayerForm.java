package dev.haq.quantizer.graphs;

import dev.haq.quantizer.quant.IntegerLayer;
import dev.haq.quantizer.quant.LinearQuantizer;
import java.util.Optional;

/** How a policy wants one layer computed. */
public sealed interface LayerForm {
  /** Both operands quantized: whole numbers throughout. */
  record Whole(IntegerLayer layer) implements LayerForm {}

  /**
   * At least one operand left in floating point.
   *
   * @param activations quantizes the layer's input; empty leaves it as it is
   * @param weights of the layer, already on their grid where they are quantized
   * @param bias [outputs]
   */
  record Real(Optional<LinearQuantizer> activations, float[] weights, float[] bias)
      implements LayerForm {}
}
