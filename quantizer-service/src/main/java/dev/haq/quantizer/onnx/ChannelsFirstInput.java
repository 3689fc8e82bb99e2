package dev.haq.quantizer.onnx;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * Gives models that take images with channels last, as TensorFlow's exports do, an input with
 * channels first. Where the model turns its input itself, both turns cancel out.
 */
final class ChannelsFirstInput {
  private static final Set<Long> CHANNELS = Set.of(1L, 3L);
  private static final int[] TO_CHANNELS_FIRST = {0, 3, 1, 2};

  private ChannelsFirstInput() {}

  static ModelProto apply(ModelProto model) {
    GraphProto graph = model.getGraph();
    Set<String> constants =
        Set.copyOf(graph.getInitializerList().stream().map(t -> t.getName()).distinct().toList());
    for (int i = 0; i < graph.getInputCount(); i++) {
      ValueInfoProto input = graph.getInput(i);
      if (!constants.contains(input.getName()) && hasChannelsLast(input)) {
        return turned(model, i);
      }
    }
    return model;
  }

  private static boolean hasChannelsLast(ValueInfoProto input) {
    TensorShapeProto shape = input.getType().getTensorType().getShape();
    return shape.getDimCount() == 4
        && CHANNELS.contains(shape.getDim(3).getDimValue())
        && !CHANNELS.contains(shape.getDim(1).getDimValue());
  }

  private static ModelProto turned(ModelProto model, int index) {
    ModelProto.Builder changed = model.toBuilder();
    GraphProto.Builder graph = changed.getGraphBuilder();
    String last = graph.getInput(index).getName();
    String first = last + "/channels_first";
    ValueInfoProto.Builder input = graph.getInputBuilder(index).setName(first);
    TensorShapeProto.Builder shape =
        input.getTypeBuilder().getTensorTypeBuilder().getShapeBuilder();
    TensorShapeProto old = shape.build();
    for (int d = 0; d < TO_CHANNELS_FIRST.length; d++) {
      shape.setDim(d, old.getDim(TO_CHANNELS_FIRST[d]));
    }
    List<NodeProto> nodes = new ArrayList<>();
    nodes.add(
        Nodes.node("Transpose", List.of(first), last)
            .addAttribute(Nodes.ints("perm", 0, 2, 3, 1))
            .build());
    for (NodeProto node : graph.getNodeList()) {
      nodes.add(turnsBack(node, last) ? identity(node, first) : node);
    }
    graph.clearNode().addAllNode(nodes);
    return changed.build();
  }

  private static boolean turnsBack(NodeProto node, String input) {
    return Nodes.is(node, "Transpose")
        && node.getInput(0).equals(input)
        && Arrays.equals(Nodes.ints(node, "perm"), TO_CHANNELS_FIRST);
  }

  private static NodeProto identity(NodeProto transpose, String input) {
    return transpose.toBuilder().setOpType("Identity").clearAttribute().setInput(0, input).build();
  }
}
