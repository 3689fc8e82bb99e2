package dev.haq.quantizer.onnx;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.util.List;
import java.util.Set;
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
      Set.of("Upsample", "Resize", "If", "Loop", "Scan", "TopK", "NonMaxSuppression");

  private final long version;
  private final GraphProto.Builder graph;
  private int made;

  private OpsetUpgrade(long version, GraphProto.Builder graph) {
    this.version = version;
    this.graph = graph;
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
    new OpsetUpgrade(version, upgraded.getGraphBuilder()).run();
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
    if (NOT_REWRITTEN.contains(type)) {
      throw new HaqException(
          Reason.UNSUPPORTED_OPERATOR,
          "node '%s' is a %s of operator set %d, which is not taken: export the model with set %d or newer"
              .formatted(node.getName(), type, version, TARGET));
    }
    return switch (type) {
      case "Clip" -> version < 11 ? clip(node) : node;
      case "Pad" -> version < 11 ? pad(node) : node;
      case "Slice" -> version < 10 ? slice(node) : node;
      case "Squeeze", "Unsqueeze", "ReduceSum" -> intsToInput(node, "axes", 1);
      case "Split" -> intsToInput(node, "split", 1);
      case "Dropout" -> dropout(node);
      case "BatchNormalization" -> without(node, a -> a.getName().equals("spatial"));
      case "Softmax", "LogSoftmax" -> withAxis(node);
      default -> node;
    };
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

  /** Before set 13 the axis was 1 when not given; from there on it is the last. */
  private static NodeProto withAxis(NodeProto node) {
    return Nodes.attribute(node, "axis").isPresent()
        ? node
        : node.toBuilder().addAttribute(Nodes.integer("axis", 1)).build();
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
    return "haq/upgrade/" + made++;
  }

  private String add(TensorProto tensor) {
    graph.addInitializer(tensor);
    return tensor.getName();
  }
}
