package dev.haq.quantizer.onnx;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import dev.haq.model.HaqException;
import java.util.List;
import java.util.Set;

/**
 * Refuses strides, kernels and the like below 1. ONNX Runtime divides by them when it opens a
 * model, which on a zero ends the whole process.
 */
final class PositiveAttributes {
  private static final Set<String> POSITIVE =
      Set.of(
          "strides",
          "dilations",
          "kernel_shape",
          "group",
          "blocksize",
          "num_outputs",
          "num_groups");

  private PositiveAttributes() {}

  /**
   * @return the model, unchanged
   * @throws HaqException INVALID_MODEL naming the node and the attribute
   */
  static ModelProto checked(ModelProto model) {
    check(model.getGraph());
    model.getFunctionsList().forEach(function -> check(function.getNodeList()));
    return model;
  }

  private static void check(GraphProto graph) {
    check(graph.getNodeList());
  }

  private static void check(List<NodeProto> nodes) {
    for (NodeProto node : nodes) {
      for (AttributeProto attribute : node.getAttributeList()) {
        if (POSITIVE.contains(attribute.getName()) && !isPositive(attribute)) {
          throw GraphDraft.invalid(
              "node '%s' (%s) has %s below 1: export the model again"
                  .formatted(node.getName(), node.getOpType(), attribute.getName()));
        }
        if (attribute.hasG()) {
          check(attribute.getG());
        }
        attribute.getGraphsList().forEach(PositiveAttributes::check);
      }
    }
  }

  private static boolean isPositive(AttributeProto attribute) {
    return attribute.getType() == AttributeProto.AttributeType.INT
        ? attribute.getI() > 0
        : attribute.getIntsList().stream().allMatch(value -> value > 0);
  }
}
