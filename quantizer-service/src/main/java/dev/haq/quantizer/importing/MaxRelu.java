package dev.haq.quantizer.importing;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Tensors;
import java.util.List;
import java.util.Map;

/** Writes a ReLU that is a maximum with zero, as JAX and Keras export it, as the operator Relu. */
final class MaxRelu {
  private MaxRelu() {}

  /**
   * @param shapes of the tensors that are computed
   */
  static void apply(GraphDraft draft, Map<String, List<Integer>> shapes) {
    for (int i = 0; i < draft.nodes.size(); i++) {
      NodeProto node = draft.nodes.get(i);
      if (!Nodes.is(node, "Max") || node.getInputCount() != 2) {
        continue;
      }
      int zero = isZero(draft, node.getInput(1)) ? 1 : 0;
      String other = node.getInput(1 - zero);
      List<Integer> shape = shapes.get(other);
      if (isZero(draft, node.getInput(zero))
          && shape != null
          && shape.equals(shapes.get(node.getOutput(0)))) {
        draft.nodes.set(i, node.toBuilder().setOpType("Relu").clearInput().addInput(other).build());
      }
    }
    draft.prune();
  }

  private static boolean isZero(GraphDraft draft, String name) {
    TensorProto tensor = draft.constants.get(name);
    if (tensor == null || tensor.getDataType() != DataType.FLOAT.getNumber()) {
      return false;
    }
    for (float value : Tensors.floats(tensor)) {
      if (value != 0) {
        return false;
      }
    }
    return true;
  }
}
