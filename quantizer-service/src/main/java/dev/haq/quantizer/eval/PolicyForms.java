package dev.haq.quantizer.eval;

import dev.haq.model.BitWidth;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import dev.haq.model.Recipe;
import dev.haq.model.Recipe.WeightScales;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.GraphNode.Quantizable;
import dev.haq.quantizer.onnx.LayerForm;
import dev.haq.quantizer.quant.IntegerLayer;
import dev.haq.quantizer.quant.LinearQuantizer;
import dev.haq.quantizer.quant.QuantizedWeights;
import dev.haq.quantizer.quant.WeightQuantizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Says how each layer of one network is computed under a policy. Quantized weights are kept for
 * every (layer, bit-width) asked for: at most seven bytes a weight and kind of scales.
 */
final class PolicyForms {
  private final CnnGraph graph;
  private final Map<WeightKey, QuantizedWeights> weights = new ConcurrentHashMap<>();

  PolicyForms(CnnGraph graph) {
    this.graph = graph;
  }

  private record WeightKey(int layer, BitWidth bits, WeightScales scales) {}

  List<LayerForm> of(Policy policy, Recipe recipe, Calibration calibration) {
    List<Quantizable> layers = graph.layers();
    List<LayerForm> forms = new ArrayList<>();
    for (int k = 0; k < layers.size(); k++) {
      forms.add(form(k, layers.get(k), policy.get(k), recipe, calibration));
    }
    return forms;
  }

  private LayerForm form(
      int index, Quantizable layer, LayerBits bits, Recipe recipe, Calibration calibration) {
    Optional<LinearQuantizer> activations =
        bits.activations().isFloat()
            ? Optional.empty()
            : Optional.of(calibration.quantizer(layer.input(), bits.activations()));
    if (bits.weights().isFloat()) {
      return new LayerForm.Real(activations, layer.weights(), layer.bias());
    }
    QuantizedWeights quantized =
        weights.computeIfAbsent(
            new WeightKey(index, bits.weights(), recipe.weightScales()),
            key ->
                WeightQuantizer.quantize(
                    layer.weights(), layer.weightShape(), key.bits(), key.scales()));
    return activations.isPresent()
        ? new LayerForm.Whole(IntegerLayer.of(activations.get(), quantized, layer.bias()))
        : new LayerForm.Real(Optional.empty(), quantized.values(), layer.bias());
  }
}
