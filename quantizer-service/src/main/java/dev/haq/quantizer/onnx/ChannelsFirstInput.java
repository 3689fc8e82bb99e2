package dev.haq.quantizer.onnx;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Gives models that take images with channels last, as TensorFlow's exports do, an input with
 * channels first, and back. Where the model turns its input itself, both turns cancel out.
 */
public final class ChannelsFirstInput {
  private static final Set<Long> CHANNELS = Set.of(1L, 3L);
  private static final int[] TO_CHANNELS_FIRST = {0, 3, 1, 2};
  private static final int[] TO_CHANNELS_LAST = {0, 2, 3, 1};

  /** The model's property that says which input it was given instead of. */
  private static final String KEY = "haq.channels_last_input";

  private ChannelsFirstInput() {}

  public static ModelProto apply(ModelProto model) {
    GraphProto graph = model.getGraph();
    Set<String> constants =
        Set.copyOf(graph.getInitializerList().stream().map(t -> t.getName()).distinct().toList());
    for (int i = 0; i < graph.getInputCount(); i++) {
      ValueInfoProto input = graph.getInput(i);
      if (!constants.contains(input.getName()) && hasChannelsLast(input)) {
        return turned(marked(model, Optional.of(input.getName())), i);
      }
    }
    return marked(model, Optional.empty());
  }

  /** Whatever a file says of itself does not count. */
  private static ModelProto marked(ModelProto model, Optional<String> input) {
    ModelProto.Builder marked = model.toBuilder().clearMetadataProps();
    model.getMetadataPropsList().stream()
        .filter(property -> !property.getKey().equals(KEY))
        .forEach(marked::addMetadataProps);
    input.ifPresent(
        name ->
            marked.addMetadataProps(
                StringStringEntryProto.newBuilder().setKey(KEY).setValue(name)));
    return marked.build();
  }

  /** The input with channels last that a model had; empty where it is as it was. */
  public static Optional<String> original(ModelProto model) {
    return model.getMetadataPropsList().stream()
        .filter(property -> property.getKey().equals(KEY))
        .map(StringStringEntryProto::getValue)
        .findFirst();
  }

  /**
   * Gives a written model the input with channels last back. {@link #apply} gives what it was.
   *
   * @param first name of its input
   * @param last name of the input that it had
   */
  public static ModelProto undone(ModelProto model, String first, String last) {
    ModelProto.Builder changed = model.toBuilder();
    GraphProto.Builder graph = changed.getGraphBuilder();
    for (ValueInfoProto.Builder input : graph.getInputBuilderList()) {
      if (input.getName().equals(first)) {
        permute(input.setName(last), TO_CHANNELS_LAST);
      }
    }
    List<NodeProto> nodes = new ArrayList<>();
    boolean read = false;
    for (NodeProto node : graph.getNodeList()) {
      if (!node.getOutputList().contains(last)) {
        nodes.add(node);
        read |= Nodes.reads(node).contains(first);
      }
    }
    if (read) {
      nodes.add(0, transpose(last, first, 0, 3, 1, 2));
    }
    graph.clearNode().addAllNode(nodes);
    return changed.build();
  }

  private static NodeProto transpose(String input, String output, long... order) {
    return Nodes.node("Transpose", List.of(input), output)
        .addAttribute(Nodes.ints("perm", order))
        .build();
  }

  private static void permute(ValueInfoProto.Builder input, int[] order) {
    TensorShapeProto.Builder shape =
        input.getTypeBuilder().getTensorTypeBuilder().getShapeBuilder();
    TensorShapeProto old = shape.build();
    for (int d = 0; d < order.length; d++) {
      shape.setDim(d, old.getDim(order[d]));
    }
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
    permute(graph.getInputBuilder(index).setName(first), TO_CHANNELS_FIRST);
    List<NodeProto> nodes = new ArrayList<>();
    nodes.add(transpose(first, last, 0, 2, 3, 1));
    for (NodeProto node : graph.getNodeList()) {
      boolean undoing = turnsBack(node, last) && node.getOutput(0).equals(first);
      if (!undoing) {
        nodes.add(turnsBack(node, last) ? identity(node, first) : node);
      }
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
