package dev.haq.quantizer.onnx;

import ai.onnx.proto.OnnxMl.TensorProto;
import dev.haq.quantizer.onnx.GraphNode.Other;
import dev.haq.quantizer.onnx.GraphNode.Quantizable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** A network with other weights, as fine-tuning leaves it. */
public final class TunedGraph {
  private TunedGraph() {}

  /**
   * What became of a layer.
   *
   * @param weights in the layer's order
   * @param bias [outputs]
   * @param clip thresholds that were learnt for its input; empty for none
   */
  public record TunedLayer(float[] weights, float[] bias, Optional<Clip> clip) {}

  /** The smallest and the largest value that a layer reads. */
  public record Clip(float low, float high) {}

  /**
   * The network with the tuned layers in the places of its own. A learnt threshold becomes a Clip
   * before the layer, so that whoever reads the network next finds it (PACT, arXiv:1805.06085,
   * makes it part of the activation function).
   *
   * @param tuned in the order of {@link CnnGraph#layers}
   */
  public static CnnGraph of(CnnGraph graph, List<TunedLayer> tuned) {
    List<GraphNode> nodes = new ArrayList<>();
    Map<String, TensorProto> constants = new HashMap<>(graph.constants());
    Map<String, List<Integer>> shapes = new HashMap<>(graph.shapes());
    Set<String> nonNegative = new HashSet<>(graph.nonNegative());
    Map<String, String> clippedInputs = new HashMap<>();
    int next = 0;
    for (GraphNode node : graph.nodes()) {
      if (!(node instanceof Quantizable layer)) {
        nodes.add(node);
        continue;
      }
      TunedLayer change = tuned.get(next++);
      String input = layer.input();
      if (change.clip().isPresent()) {
        Clip clip = change.clip().get();
        String key = input + clip;
        if (!clippedInputs.containsKey(key)) {
          String name = "haq/clip/" + clippedInputs.size();
          constants.put(name + "/low", Tensors.of(name + "/low", new float[] {clip.low()}));
          constants.put(name + "/high", Tensors.of(name + "/high", new float[] {clip.high()}));
          nodes.add(
              new Other(
                  Nodes.node("Clip", List.of(input, name + "/low", name + "/high"), name).build()));
          if (shapes.containsKey(input)) {
            shapes.put(name, shapes.get(input));
          }
          if (clip.low() >= 0) {
            nonNegative.add(name);
          }
          clippedInputs.put(key, name);
        }
        input = clippedInputs.get(key);
      }
      nodes.add(
          new Quantizable(layer.layer(), input, layer.output(), change.weights(), change.bias()));
    }
    return new CnnGraph(
        nodes,
        constants,
        graph.operatorSets(),
        graph.irVersion(),
        graph.input(),
        graph.inputShape(),
        graph.output(),
        graph.outputKind(),
        graph.classes(),
        graph.fixedBatch(),
        shapes,
        nonNegative);
  }
}
