package dev.haq.quantizer.importing;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Tensors;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;

/**
 * Rewrites models of operator sets 7 to 12 in set 13, the first whose byte operators quantized
 * graphs can be written in. Most operators of CNNs mean the same in all of them; the others moved
 * attributes to inputs.
 */
final class OpsetUpgrade {
  /** Broadcasting as it is today came with this set. */
  private static final int OLDEST = 7;

  static final int TARGET = 13;

  /** The first IR version in which set 13 was published. */
  private static final int IR_VERSION = 7;

  /** Operators whose meaning changed in ways that are not rewritten here. */
  private static final Set<String> NOT_REWRITTEN =
      Set.of("Upsample", "Resize", "If", "TopK", "NonMaxSuppression");

  /** From this set on these mean what they mean in set 13, all but Upsample, which is gone. */
  private static final int FEW_CHANGED = 11;

  private static final String COORDINATES = "coordinate_transformation_mode";

  /** A way of Resize to count pixels. */
  private static final String GONE = "tf_half_pixel_for_nn";

  /** Operators whose results have, from dimension 1 on, one that may be larger than 1. */
  private static final Set<String> ONE_DIMENSION_FROM_1 =
      Set.of("Gemm", "Flatten", "GlobalAveragePool", "GlobalMaxPool");

  private final Map<String, String> writers = new HashMap<>();
  private final long version;
  private final GraphProto.Builder graph;
  private final AtomicInteger made;

  /**
   * @param made tensors so far, in the graph and the subgraphs of its nodes
   */
  private OpsetUpgrade(long version, GraphProto.Builder graph, AtomicInteger made) {
    this.version = version;
    this.graph = graph;
    this.made = made;
  }

  /**
   * @throws HaqException INVALID_MODEL or UNSUPPORTED_OPERATOR when the model cannot be rewritten
   */
  static ModelProto apply(ModelProto model) {
    ModelProto.Builder upgraded =
        model.toBuilder().setIrVersion(Math.max(model.getIrVersion(), IR_VERSION));
    long version = OnnxReader.opset(model);
    if (version >= TARGET) {
      return upgraded.build();
    }
    if (version < OLDEST) {
      throw new HaqException(
          Reason.INVALID_MODEL,
          "the model uses ONNX operator set %d; %d is the oldest taken: export it with %d or newer"
              .formatted(version, OLDEST, TARGET));
    }
    new OpsetUpgrade(version, upgraded.getGraphBuilder(), new AtomicInteger()).run();
    for (int i = 0; i < upgraded.getOpsetImportCount(); i++) {
      OperatorSetIdProto.Builder set = upgraded.getOpsetImportBuilder(i);
      if (set.getDomain().isEmpty() || set.getDomain().equals("ai.onnx")) {
        set.setVersion(TARGET);
      }
    }
    return upgraded.build();
  }

  private void run() {
    List<NodeProto> nodes = List.copyOf(graph.getNodeList());
    for (NodeProto node : nodes) {
      String type = node.getOpType();
      node.getOutputList().forEach(output -> writers.put(output, Nodes.is(node, type) ? type : ""));
    }
    graph.clearNode();
    for (NodeProto node : nodes) {
      graph.addNode(upgraded(node));
    }
  }

  private NodeProto upgraded(NodeProto node) {
    String type = node.getOpType();
    if (!Nodes.is(node, type)) {
      return node;
    }
    if (NOT_REWRITTEN.contains(type) && (version < FEW_CHANGED || type.equals("Upsample"))) {
      throw refused(node, "which meant something else than it does now");
    }
    if (Nodes.string(node, COORDINATES, "").equals(GONE)) {
      throw refused(node, "with " + GONE + ", which later sets do not have");
    }
    return switch (type) {
      case "If" -> branches(node);
      case "Clip" -> version < 11 ? clip(node) : node;
      case "Pad" -> version < 11 ? pad(node) : node;
      case "Slice" -> version < 10 ? slice(node) : node;
      case "Squeeze", "Unsqueeze", "ReduceSum" -> intsToInput(node, "axes", 1);
      case "Split" -> intsToInput(node, "split", 1);
      case "Dropout" -> dropout(node);
      case "BatchNormalization" -> without(node, a -> a.getName().equals("spatial"));
      case "Softmax", "LogSoftmax", "Hardmax" -> softmax(node);
      default -> node;
    };
  }

  private HaqException refused(NodeProto node, String why) {
    return new HaqException(
        Reason.UNSUPPORTED_OPERATOR,
        "node '%s' is a %s of operator set %d, %s: export the model with set %d or newer"
            .formatted(node.getName(), node.getOpType(), version, why, TARGET));
  }

  private NodeProto branches(NodeProto node) {
    NodeProto.Builder changed = node.toBuilder();
    for (AttributeProto.Builder attribute : changed.getAttributeBuilderList()) {
      if (attribute.hasG()) {
        new OpsetUpgrade(version, attribute.getGBuilder(), made).run();
      }
    }
    return changed.build();
  }

  private NodeProto clip(NodeProto node) {
    NodeProto.Builder clip = without(node, a -> true).toBuilder();
    clip.addInput(
        Nodes.attribute(node, "min").map(a -> constant(new float[] {a.getF()})).orElse(""));
    clip.addInput(
        Nodes.attribute(node, "max").map(a -> constant(new float[] {a.getF()})).orElse(""));
    return clip.build();
  }

  private NodeProto pad(NodeProto node) {
    long[] pads = longs(node, "pads");
    return without(node, a -> !a.getName().equals("mode")).toBuilder()
        .addInput(constant(pads))
        .addInput(constant(new float[] {Nodes.real(node, "value", 0)}))
        .build();
  }

  private NodeProto slice(NodeProto node) {
    long[] starts = longs(node, "starts");
    long[] axes = longs(node, "axes");
    if (axes.length == 0) {
      axes = new long[starts.length];
      for (int i = 0; i < axes.length; i++) {
        axes[i] = i;
      }
    }
    return without(node, a -> true).toBuilder()
        .addInput(constant(starts))
        .addInput(constant(longs(node, "ends")))
        .addInput(constant(axes))
        .build();
  }

  private NodeProto intsToInput(NodeProto node, String attribute, int input) {
    if (Nodes.attribute(node, attribute).isEmpty() || node.getInputCount() != input) {
      return node;
    }
    return without(node, a -> a.getName().equals(attribute)).toBuilder()
        .addInput(constant(longs(node, attribute)))
        .build();
  }

  /** At inference it passes its input through; a mask that is not read has no type to mind. */
  private static NodeProto dropout(NodeProto node) {
    NodeProto.Builder dropout = without(node, a -> true).toBuilder();
    String data = node.getInput(0);
    String output = node.getOutput(0);
    return dropout.clearInput().addInput(data).clearOutput().addOutput(output).build();
  }

  /**
   * Before set 13 all dimensions from the axis on, 1 when not given, were taken as one; from there
   * on the axis alone is. Where these are not the same the tensor is flattened and put back.
   */
  private NodeProto softmax(NodeProto node) {
    long axis = Nodes.integer(node, "axis", 1);
    NodeProto bare = without(node, a -> a.getName().equals("axis"));
    boolean oneDimension =
        axis == -1
            || (axis == 1
                && ONE_DIMENSION_FROM_1.contains(writers.getOrDefault(Nodes.input(node, 0), "")));
    if (oneDimension) {
      return bare.toBuilder().addAttribute(Nodes.integer("axis", axis)).build();
    }
    String input = Nodes.input(node, 0);
    String flat = fresh();
    String scores = fresh();
    String shape = fresh();
    graph.addNode(
        Nodes.node("Flatten", List.of(input), flat).addAttribute(Nodes.integer("axis", axis)));
    graph.addNode(
        bare.toBuilder()
            .clearInput()
            .addInput(flat)
            .clearOutput()
            .addOutput(scores)
            .addAttribute(Nodes.integer("axis", -1)));
    graph.addNode(Nodes.node("Shape", List.of(input), shape));
    return Nodes.node("Reshape", List.of(scores, shape), node.getOutput(0)).build();
  }

  private static NodeProto without(NodeProto node, Predicate<AttributeProto> dropped) {
    NodeProto.Builder kept = node.toBuilder().clearAttribute();
    node.getAttributeList().stream().filter(dropped.negate()).forEach(kept::addAttribute);
    return kept.build();
  }

  private static long[] longs(NodeProto node, String attribute) {
    return Nodes.attribute(node, attribute).stream()
        .flatMap(a -> a.getIntsList().stream())
        .mapToLong(Long::longValue)
        .toArray();
  }

  private String constant(float[] scalar) {
    return add(Tensors.of(fresh(), scalar));
  }

  private String constant(long[] values) {
    return add(Tensors.of(fresh(), values, values.length));
  }

  private String fresh() {
    return "haq/upgrade/" + made.getAndIncrement();
  }

  private String add(TensorProto tensor) {
    graph.addInitializer(tensor);
    return tensor.getName();
  }
}
