package dev.haq.quantizer.onnx;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import java.util.Map;

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
    for (NodeProto node : draft.nodes) {
      Integer place = WEIGHTS.get(node.getOpType());
      int window = Nodes.ints(node, "kernel_shape").length;
      if (place != null) {
        TensorProto weights = draft.constants.get(Nodes.input(node, place));
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
