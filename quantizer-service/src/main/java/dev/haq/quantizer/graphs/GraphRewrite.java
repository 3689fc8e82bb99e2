package dev.haq.quantizer.graphs;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.GraphNode;
import dev.haq.quantizer.onnx.GraphNode.Other;
import dev.haq.quantizer.onnx.GraphNode.Quantizable;
import dev.haq.quantizer.onnx.Tensors;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A network written anew with other weights, and operators added between its layers. Nodes are
 * added in topological order; what is known of the old tensors is kept.
 */
final class GraphRewrite {
  private final CnnGraph from;
  private final List<GraphNode> nodes = new ArrayList<>();
  private final Map<String, TensorProto> constants;
  private final Map<String, List<Integer>> shapes;
  private final Set<String> nonNegative;

  GraphRewrite(CnnGraph from) {
    this.from = from;
    this.constants = new HashMap<>(from.constants());
    this.shapes = new HashMap<>(from.shapes());
    this.nonNegative = new HashSet<>(from.nonNegative());
  }

  /** Adds a node as it was. */
  void keep(GraphNode node) {
    nodes.add(node);
  }

  /** Adds a layer with other values and perhaps another input. */
  void layer(Quantizable layer, String input, float[] weights, float[] bias) {
    nodes.add(new Quantizable(layer.layer(), input, layer.output(), weights, bias));
  }

  /** Adds an operator whose output has the shape of {@code alike}. */
  void add(NodeProto.Builder node, String alike, boolean isNonNegative) {
    String output = node.getOutput(0);
    nodes.add(new Other(node.build()));
    if (shapes.containsKey(alike)) {
      shapes.put(output, shapes.get(alike));
    }
    if (isNonNegative) {
      nonNegative.add(output);
    }
  }

  /** Adds a constant and answers its name. */
  String constant(String name, float[] values, int... dims) {
    constants.put(name, Tensors.of(name, values, dims));
    return name;
  }

  CnnGraph done() {
    return new CnnGraph(
        nodes,
        constants,
        from.operatorSets(),
        from.irVersion(),
        from.input(),
        from.channelsLastInput(),
        from.inputShape(),
        from.output(),
        from.outputKind(),
        from.classes(),
        from.fixedBatch(),
        shapes,
        nonNegative);
  }
}
