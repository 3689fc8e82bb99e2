package dev.haq.quantizer.onnx;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Which of a model's outputs are the class scores: the first that can be scores, in float for every
 * image and class, and that no layer reads on the way to another such output, as features are read.
 */
final class ScoreOutput {
  private static final Set<String> LAYERS = Set.of("Conv", "Gemm", "MatMul");

  private ScoreOutput() {}

  /**
   * @param graph with at least one output
   * @param sorted its nodes, each after those it reads from
   * @return the output's name; that of the first where none can be scores
   */
  static String of(GraphProto graph, List<NodeProto> sorted) {
    List<String> possible =
        graph.getOutputList().stream()
            .filter(ScoreOutput::canBeScores)
            .map(ValueInfoProto::getName)
            .toList();
    return possible.stream()
        .filter(output -> possible.size() < 2 || !isRead(output, possible, sorted))
        .findFirst()
        .orElse(graph.getOutput(0).getName());
  }

  /** What a model leaves unsaid may be. */
  private static boolean canBeScores(ValueInfoProto output) {
    if (!output.hasType()) {
      return true;
    }
    TypeProto.Tensor tensor = output.getType().getTensorType();
    return output.getType().hasTensorType()
        && (tensor.getElemType() == DataType.UNDEFINED_VALUE
            || tensor.getElemType() == DataType.FLOAT_VALUE)
        && (!tensor.hasShape() || tensor.getShape().getDimCount() > 1);
  }

  /** Whether a layer makes another of the outputs of this one. */
  private static boolean isRead(String output, List<String> outputs, List<NodeProto> sorted) {
    Set<String> made = new HashSet<>(Set.of(output)); // of the output
    Set<String> behind = new HashSet<>(); // made of it by a layer
    for (NodeProto node : sorted) {
      Set<String> reads = GraphDraft.reads(node);
      if (reads.stream().anyMatch(made::contains)) {
        made.addAll(node.getOutputList());
        if (LAYERS.contains(node.getOpType()) || reads.stream().anyMatch(behind::contains)) {
          behind.addAll(node.getOutputList());
        }
      }
    }
    return outputs.stream().anyMatch(behind::contains);
  }
}
