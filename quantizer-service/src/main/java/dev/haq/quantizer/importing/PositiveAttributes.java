package dev.haq.quantizer.importing;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import dev.haq.model.HaqException;
import java.util.List;
import java.util.Set;

/**
 * Refuses strides, kernels and the like below 1 or above any size of an image. ONNX Runtime divides
 * by them when it opens a model, which on a zero ends the whole process, and multiplies them
 * without minding overflow.
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

  private static final long LARGEST = 1 << 16;

  private static final Set<String> PADDING = Set.of("pads", "output_padding");

  private PositiveAttributes() {}

  /**
   * @return the model, unchanged
   * @throws HaqException INVALID_MODEL naming the node and the attribute
   */
  static ModelProto checked(ModelProto model) {
    check(model.getGraph());
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
              "node '%s' (%s) has %s not from 1 to %d: export the model again"
                  .formatted(node.getName(), node.getOpType(), attribute.getName(), LARGEST));
        }
        if (PADDING.contains(attribute.getName())
            && !attribute.getIntsList().stream()
                .allMatch(value -> value >= -LARGEST && value <= LARGEST)) {
          throw GraphDraft.invalid(
              "node '%s' (%s) pads by more than %d: export the model again"
                  .formatted(node.getName(), node.getOpType(), LARGEST));
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
        ? isPositive(attribute.getI())
        : attribute.getIntsList().stream().allMatch(PositiveAttributes::isPositive);
  }

  private static boolean isPositive(long value) {
    return value > 0 && value <= LARGEST;
  }
}
