package dev.haq.quantizer.graphs;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.Nodes;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;

/**
 * Rewrites operators of sets 13 to 20 in set 21. Nearly all that CNNs use mean the same in all of
 * them; reductions moved their axes to an input, and some have other defaults.
 */
final class NewerOpset {
  private static final Set<String> REDUCTIONS =
      Set.of(
          "ReduceMean",
          "ReduceMax",
          "ReduceMin",
          "ReduceProd",
          "ReduceL1",
          "ReduceL2",
          "ReduceLogSum",
          "ReduceLogSumExp",
          "ReduceSumSquare");

  /** In which set reductions took their axes as an input, and Split its count as an attribute. */
  private static final long AXES_ARE_INPUTS = 18;

  /** Operators whose meaning changed in ways that are not rewritten here, and in which set. */
  private static final Map<String, Long> NOT_REWRITTEN =
      Map.of("GridSample", 20L, "GroupNormalization", 21L, "Upsample", 14L, "RoiAlign", 16L);

  private final GraphBuilder builder;
  private final long version;

  NewerOpset(CnnGraph graph, GraphBuilder builder) {
    this.builder = builder;
    this.version = graph.opset();
  }

  NodeProto rewritten(NodeProto node) {
    String type = node.getOpType();
    if (!Nodes.is(node, type) || version >= CompactGraph.OPSET) {
      return node;
    }
    if (version < NOT_REWRITTEN.getOrDefault(type, 0L)) {
      throw new HaqException(
          Reason.UNSUPPORTED_OPERATOR,
          "node '%s' is a %s of operator set %d, which cannot be written in set %d: export another format, or the model with set %d or newer"
              .formatted(node.getName(), type, version, CompactGraph.OPSET, CompactGraph.OPSET));
    }
    if (version >= AXES_ARE_INPUTS) {
      return node;
    }
    if (REDUCTIONS.contains(type)) {
      int[] axes = Nodes.ints(node, "axes");
      NodeProto.Builder changed = without(node, "axes");
      return axes.length == 0
          ? changed.build()
          : changed
              .addInput(builder.longs("axes", Arrays.stream(axes).asLongStream().toArray()))
              .build();
    }
    boolean evenSplit = type.equals("Split") && Nodes.input(node, 1).isEmpty();
    return evenSplit
        ? node.toBuilder().addAttribute(Nodes.integer("num_outputs", node.getOutputCount())).build()
        : node;
  }

  private static NodeProto.Builder without(NodeProto node, String attribute) {
    NodeProto.Builder kept = node.toBuilder().clearAttribute();
    node.getAttributeList().stream()
        .filter(a -> !a.getName().equals(attribute))
        .forEach(kept::addAttribute);
    return kept;
  }
}
