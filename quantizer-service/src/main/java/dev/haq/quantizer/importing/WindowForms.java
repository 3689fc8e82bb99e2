package dev.haq.quantizer.importing;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.haq.quantizer.onnx.Nodes;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Refuses convolutions and pools whose weights, kernel, strides, dilations and padding do not have
 * the same number of dimensions. ONNX Runtime indexes one by another when it opens or runs a model,
 * which ends the whole process.
 */
final class WindowForms {
  /** Which input holds the weights. */
  private static final Map<String, Integer> WEIGHTS =
      Map.of("Conv", 1, "ConvTranspose", 1, "ConvInteger", 1, "QLinearConv", 3, "DeformConv", 1);

  private WindowForms() {}

  static void check(GraphDraft draft) {
    check(draft.nodes, draft.constants);
  }

  /**
   * Of some nodes and the graphs within them.
   *
   * @param constants what the nodes read, by name
   */
  static void check(List<NodeProto> nodes, Map<String, TensorProto> constants) {
    check(nodes, constants::get);
  }

  private static void check(List<NodeProto> nodes, Function<String, TensorProto> constants) {
    for (NodeProto node : nodes) {
      check(node, constants);
      for (AttributeProto attribute : node.getAttributeList()) {
        if (attribute.hasG()) {
          check(attribute.getG(), constants);
        }
        attribute.getGraphsList().forEach(graph -> check(graph, constants));
      }
    }
  }

  private static void check(GraphProto graph, Function<String, TensorProto> outer) {
    Map<String, TensorProto> own = new HashMap<>();
    graph.getInitializerList().forEach(tensor -> own.put(tensor.getName(), tensor));
    for (NodeProto node : graph.getNodeList()) {
      if (Nodes.is(node, "Constant")) {
        ConstantFolding.constant(node).ifPresent(tensor -> own.put(node.getOutput(0), tensor));
      }
    }
    check(graph.getNodeList(), name -> own.containsKey(name) ? own.get(name) : outer.apply(name));
  }

  private static void check(NodeProto node, Function<String, TensorProto> constants) {
    Integer place = WEIGHTS.get(node.getOpType());
    int window = Nodes.ints(node, "kernel_shape").length;
    if (place != null) {
      TensorProto weights = constants.apply(Nodes.input(node, place));
      if (weights != null) {
        int dimensions = weights.getDimsCount() - 2;
        require(node, dimensions >= 1 && (window == 0 || window == dimensions));
        window = dimensions;
      } else {
        // The kernel that a convolution of computed weights states is all that is known of them.
        require(node, node.getOpType().equals("Conv"));
      }
    }
    if (window > 0) {
      requireLength(node, "strides", window);
      requireLength(node, "dilations", window);
      requireLength(node, "output_padding", window);
      requireLength(node, "output_shape", window);
      requireLength(node, "pads", 2 * window);
    }
  }

  private static void requireLength(NodeProto node, String attribute, int length) {
    int given = Nodes.ints(node, attribute).length;
    require(node, given == 0 || given == length);
  }

  private static void require(NodeProto node, boolean holds) {
    if (!holds) {
      throw GraphDraft.invalid(
          "node '%s' (%s) has weights, kernel, strides or padding of different dimensions: export the model again"
              .formatted(node.getName(), node.getOpType()));
    }
  }
}
