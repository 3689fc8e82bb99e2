package dev.haq.quantizer.eval;

import dev.haq.model.BitWidth;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import dev.haq.quantizer.graphs.LayerForm;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.GraphNode.Quantizable;
import dev.haq.quantizer.quant.BiasCorrection;
import dev.haq.quantizer.quant.Codebook;
import dev.haq.quantizer.quant.InputMoments;
import dev.haq.quantizer.quant.IntegerLayer;
import dev.haq.quantizer.quant.LinearQuantizer;
import dev.haq.quantizer.quant.Numerics;
import dev.haq.quantizer.quant.Numerics.Rounding;
import dev.haq.quantizer.quant.Numerics.Weights;
import dev.haq.quantizer.quant.QuantizedWeights;
import dev.haq.quantizer.quant.SecondOrderRounding;
import dev.haq.quantizer.quant.WeightClips;
import dev.haq.quantizer.quant.WeightQuantizer;
import dev.haq.quantizer.quant.WeightShape;
import dev.haq.quantizer.sharing.MadeOnce;
import dev.haq.quantizer.sharing.Waits;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

/**
 * Says how each layer of one network is computed under a policy, by one recipe's numerics. What a
 * layer and its bit-widths ask for is found once and kept: at most seven bytes a weight on linear
 * grids, 28 in codebooks.
 */
final class PolicyForms {
  private final List<Quantizable> layers;
  private final Numerics numerics;
  private final ActivationGrids grids;
  private final List<InputMoments> moments;
  private final MadeOnce<WeightKey, QuantizedWeights> linear = new MadeOnce<>(Integer.MAX_VALUE);
  private final MadeOnce<WeightKey, float[]> shared = new MadeOnce<>(Integer.MAX_VALUE);
  private final MadeOnce<Integer, SecondOrderRounding> roundings =
      new MadeOnce<>(Integer.MAX_VALUE);

  /**
   * @param grids of what its layers read
   * @param moments of every layer's input; empty where the numerics need none
   */
  PolicyForms(
      CnnGraph graph, Numerics numerics, ActivationGrids grids, List<InputMoments> moments) {
    this.layers = graph.layers();
    this.numerics = numerics;
    this.grids = grids;
    this.moments = List.copyOf(moments);
  }

  private record WeightKey(int layer, BitWidth bits) {}

  /**
   * Layers in parallel: what is not kept yet is found for each by itself.
   *
   * @param cancelled asked now and then whether nobody waits for them any more
   * @throws dev.haq.model.HaqException CANCELLED
   */
  List<LayerForm> of(Policy policy, BooleanSupplier cancelled) {
    return IntStream.range(0, layers.size())
        .parallel()
        .mapToObj(k -> form(k, policy.get(k), cancelled))
        .toList();
  }

  /** The quantizer of a layer's input; empty where it stays in floating point. */
  Optional<LinearQuantizer> activations(int layer, BitWidth bits) {
    return bits.isFloat()
        ? Optional.empty()
        : Optional.of(grids.of(layers.get(layer).input(), bits));
  }

  /** How each layer is quantized while it is trained; its weights move, so nothing is kept. */
  List<FineTuner.QuantizedLayer> trained(Policy policy) {
    List<FineTuner.QuantizedLayer> trained = new ArrayList<>();
    for (int k = 0; k < layers.size(); k++) {
      trained.add(
          new FineTuner.QuantizedLayer(
              activations(k, policy.get(k).activations()),
              trainedWeights(layers.get(k), policy.get(k).weights())));
    }
    return trained;
  }

  private FineTuner.Weights trainedWeights(Quantizable layer, BitWidth bits) {
    if (bits.isFloat()) {
      return new FineTuner.Weights.Real();
    }
    if (numerics.weights() instanceof Weights.Shared codebook) {
      Codebook found = Codebook.of(layer.weights(), bits, codebook.start());
      int[] assignment = new int[layer.weights().length];
      Arrays.setAll(assignment, i -> found.code(layer.weights()[i]));
      return new FineTuner.Weights.Shared(found.centroids(), assignment);
    }
    Weights.Linear how = (Weights.Linear) numerics.weights();
    WeightShape shape = layer.weightShape();
    return new FineTuner.Weights.Grid(
        LinearQuantizer.levels(bits, true),
        weights ->
            WeightQuantizer.steps(
                WeightQuantizer.quantize(
                    weights,
                    shape,
                    bits,
                    WeightClips.of(weights, shape, bits, how.clip(), how.scales()),
                    how.scales(),
                    WeightQuantizer.Rounding.NEAREST),
                bits));
  }

  private LayerForm form(int index, LayerBits bits, BooleanSupplier cancelled) {
    Waits.throwIf(cancelled);
    Quantizable layer = layers.get(index);
    Optional<LinearQuantizer> activations = activations(index, bits.activations());
    if (bits.weights().isFloat() && activations.isEmpty()) {
      return new LayerForm.Real(activations, layer.weights(), layer.bias());
    }
    if (bits.weights().isFloat()) {
      float[] bias = bias(index, activations, layer.weights());
      return new LayerForm.Real(activations, layer.weights(), bias);
    }
    WeightKey key = new WeightKey(index, bits.weights());
    if (numerics.weights() instanceof Weights.Shared codebook) {
      float[] values =
          shared.get(
              key,
              () ->
                  Codebook.of(layer.weights(), key.bits(), codebook.start())
                      .shared(layer.weights()),
              cancelled);
      return new LayerForm.Real(activations, values, bias(index, activations, values));
    }
    QuantizedWeights quantized =
        linear.get(
            key, () -> quantized(key, (Weights.Linear) numerics.weights(), cancelled), cancelled);
    float[] bias =
        numerics.biasCorrected() ? bias(index, activations, quantized.values()) : layer.bias();
    return activations.isPresent()
        ? new LayerForm.Whole(IntegerLayer.of(activations.get(), quantized, bias))
        : new LayerForm.Real(Optional.empty(), quantized.values(), bias);
  }

  private QuantizedWeights quantized(WeightKey key, Weights.Linear how, BooleanSupplier cancelled) {
    Quantizable layer = layers.get(key.layer());
    WeightShape shape = layer.weightShape();
    WeightQuantizer.Rounding rounding =
        how.rounding() == Rounding.NEAREST
            ? WeightQuantizer.Rounding.NEAREST
            : roundings.get(
                key.layer(),
                () ->
                    new SecondOrderRounding(
                        moments.get(key.layer()), shape.outputs(), () -> Waits.throwIf(cancelled)),
                cancelled);
    return WeightQuantizer.quantize(
        layer.weights(),
        shape,
        key.bits(),
        WeightClips.of(layer.weights(), shape, key.bits(), how.clip(), how.scales()),
        how.scales(),
        (weights, output, quantizer, codes) -> {
          Waits.throwIf(cancelled);
          rounding.codes(weights, output, quantizer, codes);
        });
  }

  private float[] bias(int index, Optional<LinearQuantizer> activations, float[] quantized) {
    Quantizable layer = layers.get(index);
    if (!numerics.biasCorrected()) {
      return layer.bias();
    }
    InputMoments inputs = moments.get(index);
    double[] means = inputs.means();
    return BiasCorrection.corrected(
        layer.bias(),
        inputs.groups(),
        layer.weights(),
        quantized,
        means,
        activations.map(inputs::means).orElse(means));
  }
}
