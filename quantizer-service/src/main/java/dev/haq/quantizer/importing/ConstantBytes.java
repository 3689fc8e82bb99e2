package dev.haq.quantizer.importing;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.SparseTensorProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Tensors;
import java.util.HashSet;
import java.util.Set;

/**
 * What a model's constants take once each has memory of its own, which may be no more than a file:
 * a small one can fill tensors, write one down sparsely, give one many names, or have many layers
 * read one.
 */
final class ConstantBytes {
  /** Each has its weights as floats of its own, whoever else reads the tensor. */
  private static final Set<String> LAYERS = Set.of("Conv", "Gemm", "MatMul");

  private ConstantBytes() {}

  /**
   * Of all that the nodes of a graph read.
   *
   * @throws HaqException TOO_LARGE
   */
  static void requireFew(GraphDraft draft) {
    Set<String> seen = new HashSet<>();
    double sum = 0;
    for (NodeProto node : draft.nodes) {
      boolean layer = LAYERS.contains(node.getOpType()) && Nodes.is(node, node.getOpType());
      for (String name : Nodes.reads(node)) {
        TensorProto constant = draft.constants.get(name);
        if (constant != null && (seen.add(name) || layer)) {
          sum += of(constant);
        }
      }
    }
    require(sum, draft.mostBytes);
  }

  /**
   * @throws HaqException TOO_LARGE
   */
  static void require(double bytes, long most) {
    if (bytes > most) {
      throw new HaqException(
          Reason.TOO_LARGE,
          "the model's constants come to more than %d bytes (limits.model-bytes) once written out in full, 16-bit weights as floats, and for each layer that reads them: export it with fewer or smaller ones, or raise the limit"
              .formatted(most));
    }
  }

  /** Numbers of 16 bits are widened. */
  static double of(TensorProto tensor) {
    double bytes = Tensors.bytes(tensor);
    return Tensors.isFloat(tensor) ? Math.max(bytes, 4.0 * Tensors.elements(tensor)) : bytes;
  }

  /** ONNX Runtime writes it out when it opens a model. */
  static double of(SparseTensorProto tensor) {
    return Long.BYTES
        * tensor.getDimsList().stream()
            .mapToDouble(dim -> Math.max(1, dim))
            .reduce(1, (a, b) -> a * b);
  }
}
