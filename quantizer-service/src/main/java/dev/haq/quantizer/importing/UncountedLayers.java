package dev.haq.quantizer.importing;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.GraphNode;
import dev.haq.quantizer.onnx.GraphNode.Other;
import dev.haq.quantizer.onnx.GraphNode.Quantizable;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Tensors;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Operators with weights that {@link LayerFinder} makes no layers of. They are refused, or run in
 * float, and no cost but the size of the model has them in it.
 */
final class UncountedLayers {
  /** What ONNX Runtime makes of layers when it optimizes a model. */
  private static final Set<String> FUSED =
      Set.of("FusedConv", "FusedGemm", "FusedMatMul", "NhwcFusedConv");

  private static final Set<String> WEIGHTED =
      Set.of("Conv", "ConvTranspose", "Gemm", "MatMul", "Einsum", "RNN", "GRU", "LSTM");

  /** Layers that compute in whole numbers, in the standard and in ONNX Runtime's own domain. */
  private static final Set<String> INTEGER =
      Set.of(
          "ConvInteger",
          "MatMulInteger",
          "MatMulInteger16",
          "QLinearConv",
          "QLinearMatMul",
          "QAttention",
          "QGemm",
          "MatMulIntegerToFloat",
          "DynamicQuantizeLSTM",
          "DynamicQuantizeMatMul",
          "MatMulNBits");

  /** A tensor of fewer values costs next to nothing, such as a fixed filter's. */
  static final int FEWEST_WEIGHTS = 256;

  private UncountedLayers() {}

  /**
   * @throws HaqException UNSUPPORTED_OPERATOR where layers compute in whole numbers, or ONNX
   *     Runtime has fused them
   */
  static void refuse(GraphDraft draft) {
    for (NodeProto node : draft.nodes) {
      if (isInteger(node)) {
        throw new HaqException(
            Reason.UNSUPPORTED_OPERATOR,
            "node '%s' is a %s, a layer that was quantized to integers: give the float model, or one quantized with QuantizeLinear and DequantizeLinear around float layers"
                .formatted(node.getName(), node.getOpType()));
      }
      if (FUSED.contains(node.getOpType()) && isOwn(node)) {
        throw new HaqException(
            Reason.UNSUPPORTED_OPERATOR,
            "node '%s' is a %s, which ONNX Runtime has made of a layer and what follows it: give the model as it was before ONNX Runtime optimized it"
                .formatted(node.getName(), node.getOpType()));
      }
    }
  }

  /** Whether a node is a layer that computes in whole numbers. */
  static boolean isInteger(NodeProto node) {
    return INTEGER.contains(node.getOpType()) && (isOwn(node) || Nodes.is(node, node.getOpType()));
  }

  private static boolean isOwn(NodeProto node) {
    return node.getDomain().equals(CnnGraph.MICROSOFT);
  }

  /** One line about nodes whose weights are in no layer; empty where there are none. */
  static Optional<String> note(CnnGraph graph) {
    Map<String, Long> left = new LinkedHashMap<>();
    for (GraphNode node : graph.nodes()) {
      if (node instanceof Other other && Nodes.is(other.node(), other.node().getOpType())) {
        long weights = WEIGHTED.contains(other.node().getOpType()) ? weights(graph, other) : 0;
        if (weights >= FEWEST_WEIGHTS) {
          left.put("%s (%s)".formatted(other.node().getName(), other.node().getOpType()), weights);
        }
      }
    }
    if (left.isEmpty()) {
      return Optional.empty();
    }
    long inLayers = graph.layers().stream().mapToLong(UncountedLayers::weights).sum();
    double all = inLayers + left.values().stream().mapToLong(Long::longValue).sum();
    return Optional.of(
        left.entrySet().stream()
            .map(e -> "%s %.1f%%".formatted(e.getKey(), 100 * e.getValue() / all))
            .collect(
                Collectors.joining(
                    ", ", "not quantized and in no cost but the size, of all weights: ", "")));
  }

  private static long weights(Quantizable layer) {
    return layer.weights().length;
  }

  private static long weights(CnnGraph graph, Other other) {
    long weights = 0;
    for (String name : other.inputs()) {
      TensorProto tensor = graph.constants().get(name);
      if (tensor != null && tensor.getDimsCount() > 1) {
        weights += Tensors.elements(tensor);
      }
    }
    return weights;
  }
}
