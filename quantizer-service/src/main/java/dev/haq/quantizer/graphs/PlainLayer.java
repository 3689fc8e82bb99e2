package dev.haq.quantizer.graphs;

import dev.haq.model.LayerBits;
import dev.haq.quantizer.quant.GridWeights;
import dev.haq.quantizer.quant.LinearQuantizer;
import java.util.Optional;

/**
 * A layer under a policy as other tools describe it: each operand on the grid of its own bit-width,
 * the bias in real numbers.
 *
 * @param activations quantizes the layer's input; empty leaves it as it is
 * @param weights empty where they are in floating point, or on no grid
 * @param weightValues the weights as real numbers, on the grid where there is one
 * @param bias [outputs]
 */
public record PlainLayer(
    Optional<LinearQuantizer> activations,
    Optional<GridWeights> weights,
    float[] weightValues,
    float[] bias) {
  /**
   * The plain description of what is evaluated.
   *
   * @param perTensor whether the recipe gives weights one scale a layer
   */
  public static PlainLayer of(LayerForm form, LayerBits bits, boolean perTensor) {
    if (form instanceof LayerForm.Whole whole) {
      GridWeights weights = GridWeights.of(whole.layer().weights(), bits.weights());
      return new PlainLayer(
          Optional.of(whole.layer().activations()),
          Optional.of(weights),
          weights.values(),
          whole.layer().biasValues());
    }
    LayerForm.Real real = (LayerForm.Real) form;
    Optional<GridWeights> weights =
        bits.weights().isFloat()
            ? Optional.empty()
            : GridWeights.find(real.weights(), real.bias().length, bits.weights(), perTensor);
    return new PlainLayer(
        real.activations(),
        weights,
        weights.map(GridWeights::values).orElse(real.weights()),
        real.bias());
  }

  /** This layer with every scale rounded to a power of two. */
  public PlainLayer powerOfTwo() {
    Optional<GridWeights> rounded = weights.map(GridWeights::powerOfTwo);
    return new PlainLayer(
        activations.map(
            a ->
                new LinearQuantizer(
                    GridWeights.nearestPowerOfTwo(a.scale()), a.lowest(), a.highest())),
        rounded,
        rounded.map(GridWeights::values).orElse(weightValues),
        bias);
  }

  /** As a layer that can be evaluated, computed in floating point. */
  public LayerForm form() {
    return new LayerForm.Real(activations, weightValues, bias);
  }
}
