package dev.haq.quantizer.graphs;

import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.GraphNode;
import dev.haq.quantizer.onnx.GraphNode.Quantizable;
import dev.haq.quantizer.onnx.Nodes;
import java.util.HashMap;
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
    GraphRewrite rewrite = new GraphRewrite(graph);
    Map<String, String> clippedInputs = new HashMap<>();
    Set<String> taken = graph.tensors();
    int next = 0;
    for (GraphNode node : graph.nodes()) {
      if (!(node instanceof Quantizable layer)) {
        rewrite.keep(node);
        continue;
      }
      TunedLayer change = tuned.get(next++);
      String input = layer.input();
      if (change.clip().isPresent()) {
        Clip clip = change.clip().get();
        String key = input + clip;
        if (!clippedInputs.containsKey(key)) {
          String name = free(taken);
          String low = rewrite.constant(name + "/low", new float[] {clip.low()});
          String high = rewrite.constant(name + "/high", new float[] {clip.high()});
          rewrite.add(Nodes.node("Clip", List.of(input, low, high), name), input, clip.low() >= 0);
          clippedInputs.put(key, name);
        }
        input = clippedInputs.get(key);
      }
      rewrite.layer(layer, input, change.weights(), change.bias());
    }
    return rewrite.done();
  }

  /** A model that was tuned before has clips of that time. */
  private static String free(Set<String> taken) {
    int made = 0;
    while (!taken.add("haq/clip/" + made)) {
      made++;
    }
    return "haq/clip/" + made;
  }
}
