package dev.haq.quantizer.graphs;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Tensors;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * Writes operators on real numbers with channels last where they can be, so that tensors between
 * layers need not be turned about: operators on single values, additions and products of tensors of
 * the same channels, slices, padding, and means over the image.
 */
final class ChannelsLast {
  private static final Set<String> UNARY =
      Set.of("Relu", "Clip", "Sigmoid", "HardSigmoid", "HardSwish", "LeakyRelu", "Tanh", "Elu");
  private static final Set<String> BINARY = Set.of("Add", "Sub", "Mul");

  /** Where a dimension of [batch, channels, height, width] is when channels come last. */
  private static final int[] PLACE = {0, 3, 1, 2};

  private final CnnGraph graph;
  private final GraphBuilder builder;
  private final TensorForms forms;

  ChannelsLast(CnnGraph graph, GraphBuilder builder, TensorForms forms) {
    this.graph = graph;
    this.builder = builder;
    this.forms = forms;
  }

  /** Adds the node with channels last, or answers false and adds nothing. */
  boolean write(NodeProto node) {
    String type = node.getOpType();
    if (!Nodes.is(node, type)
        || node.getOutputCount() != 1
        || !forms.hasChannels(node.getOutput(0))
        || !forms.hasChannels(node.getInput(0))) {
      return false;
    }
    if (UNARY.contains(type)) {
      return forms.isChannelsLast(node.getInput(0)) && unary(node);
    }
    if (BINARY.contains(type)) {
      return binary(node);
    }
    if (!forms.isChannelsLast(node.getInput(0))) {
      return false;
    }
    return switch (type) {
      case "Slice" -> slice(node);
      case "Pad" -> pad(node);
      case "GlobalAveragePool" -> mean(node);
      default -> false;
    };
  }

  private boolean unary(NodeProto node) {
    NodeProto.Builder written = node.toBuilder();
    written.setInput(0, forms.realChannelsLast(node.getInput(0)));
    return done(node, written);
  }

  private boolean binary(NodeProto node) {
    List<String> inputs = node.getInputList();
    boolean turnable = inputs.stream().allMatch(n -> forms.hasChannels(n) || isScalar(n));
    if (!turnable || inputs.stream().noneMatch(forms::isChannelsLast)) {
      return false;
    }
    NodeProto.Builder written = node.toBuilder().clearInput();
    for (String name : inputs) {
      written.addInput(isScalar(name) ? name : forms.realChannelsLast(name));
    }
    return done(node, written);
  }

  private boolean isScalar(String name) {
    TensorProto constant = graph.constants().get(name);
    return constant != null && Tensors.elements(constant) == 1 && constant.getDimsCount() < 2;
  }

  private boolean slice(NodeProto node) {
    TensorProto axes = graph.constants().get(Nodes.input(node, 3));
    if (axes == null) {
      return false;
    }
    NodeProto.Builder written = node.toBuilder();
    written.setInput(0, forms.realChannelsLast(node.getInput(0)));
    long[] places = Tensors.longs(axes).clone();
    for (int i = 0; i < places.length; i++) {
      places[i] = PLACE[(int) (places[i] < 0 ? places[i] + PLACE.length : places[i])];
    }
    written.setInput(3, axes(places, axes.getDataType()));
    return done(node, written);
  }

  /** In the model's own type, which a slice's starts, ends and steps have too. */
  private String axes(long[] places, int type) {
    return type == DataType.INT64.getNumber()
        ? builder.longs("axes", places)
        : builder.constant(
            Tensors.of(
                builder.fresh("axes"),
                Arrays.stream(places).mapToInt(Math::toIntExact).toArray(),
                places.length));
  }

  private boolean pad(NodeProto node) {
    TensorProto pads = graph.constants().get(Nodes.input(node, 1));
    if (pads == null || !Nodes.input(node, 3).isEmpty() || Tensors.elements(pads) != 8) {
      return false;
    }
    long[] amounts = Tensors.longs(pads);
    long[] turned = new long[amounts.length];
    for (int d = 0; d < PLACE.length; d++) {
      turned[PLACE[d]] = amounts[d];
      turned[PLACE[d] + PLACE.length] = amounts[d + PLACE.length];
    }
    NodeProto.Builder written = node.toBuilder();
    written.setInput(0, forms.realChannelsLast(node.getInput(0)));
    written.setInput(1, builder.longs("pads", turned));
    return done(node, written);
  }

  /** The mean over all pixels. */
  private boolean mean(NodeProto node) {
    boolean axesAreAttribute = graph.opset() < 18;
    String source = forms.realChannelsLast(node.getInput(0));
    String output = builder.fresh("ReduceMean");
    NodeProto.Builder written =
        axesAreAttribute
            ? Nodes.node("ReduceMean", List.of(source), output)
                .addAttribute(Nodes.ints("axes", 1, 2))
            : Nodes.node("ReduceMean", List.of(source, builder.longs("axes", 1, 2)), output);
    builder.add(written);
    forms.isRealChannelsLast(node.getOutput(0), output);
    return true;
  }

  private boolean done(NodeProto node, NodeProto.Builder written) {
    String output = builder.fresh(node.getOpType());
    builder.add(written.setOutput(0, output).setName(output));
    forms.isRealChannelsLast(node.getOutput(0), output);
    return true;
  }
}
