package dev.haq.quantizer.graphs;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.GraphNode.Other;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Tensors;
import dev.haq.quantizer.quant.LinearQuantizer;
import java.util.List;

/** What is said of activations in bytes, whatever operators the layers use. */
final class Activations {
  private Activations() {}

  /**
   * The tensor to quantize in place of {@code tensor}: where that is the ReLU, or a clip at a
   * higher value, of another, the unsigned quantizer's own saturation does the same.
   */
  static String beforeClamp(CnnGraph graph, String tensor, LinearQuantizer quantizer) {
    if (quantizer.signed()) {
      return tensor;
    }
    NodeProto writer =
        graph.writer(tensor).map(n -> n instanceof Other o ? o.node() : null).orElse(null);
    if (writer == null) {
      return tensor;
    }
    boolean relu = Nodes.is(writer, "Relu");
    boolean relu6 =
        Nodes.is(writer, "Clip")
            && bound(graph, writer, 1, Float.NEGATIVE_INFINITY) == 0
            && bound(graph, writer, 2, Float.POSITIVE_INFINITY) >= quantizer.clip() * 0.9999f;
    return relu || relu6 ? writer.getInput(0) : tensor;
  }

  /** Whether a Clip begins at zero and ends at a value that is known. */
  static boolean clampsFromZero(CnnGraph graph, NodeProto clip) {
    return bound(graph, clip, 1, Float.NEGATIVE_INFINITY) == 0 && upperBound(graph, clip) > 0;
  }

  /** Where a Clip ends; infinity where it has no end, NaN where it is computed. */
  static float upperBound(CnnGraph graph, NodeProto clip) {
    return bound(graph, clip, 2, Float.POSITIVE_INFINITY);
  }

  private static float bound(CnnGraph graph, NodeProto clip, int input, float absent) {
    String name = Nodes.input(clip, input);
    if (name.isEmpty()) {
      return absent;
    }
    TensorProto tensor = graph.constants().get(name);
    return tensor == null ? Float.NaN : Tensors.floats(tensor)[0];
  }

  /** Bytes limited to the quantizer's codes; the bytes themselves when it uses them all. */
  static String clipped(GraphBuilder builder, String bytes, LinearQuantizer quantizer) {
    int zeroPoint = ByteCodes.zeroPoint(quantizer);
    int low = zeroPoint + quantizer.lowest();
    int high = zeroPoint + quantizer.highest();
    if (low == 0 && high == 255) {
      return bytes;
    }
    return builder.op(
        "Clip",
        List.of(bytes, builder.unsignedByte("low", low), builder.unsignedByte("high", high)));
  }
}
