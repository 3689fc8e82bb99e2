package dev.haq.quantizer.importing;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.haq.quantizer.onnx.Nodes;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Which of a model's outputs are the class scores: the first that can be scores, in float for every
 * image and class, and that no layer reads on the way to another of such a shape, as features are
 * read. What is made of the class that scores stand for, as a picture of it, is no way.
 */
final class ScoreOutput {
  private static final Set<String> LAYERS = Set.of("Conv", "Gemm", "MatMul");

  /** Operators that answer places, sizes or truths of the values that they read. */
  private static final Set<String> DECIDING =
      Set.of(
          "ArgMax",
          "ArgMin",
          "Equal",
          "Greater",
          "GreaterOrEqual",
          "Hardmax",
          "IsInf",
          "IsNaN",
          "Less",
          "LessOrEqual",
          "NonZero",
          "OneHot",
          "Shape",
          "Size");

  private static final Set<Integer> REAL_TYPES =
      Set.of(
          DataType.FLOAT_VALUE,
          DataType.DOUBLE_VALUE,
          DataType.FLOAT16_VALUE,
          DataType.BFLOAT16_VALUE);

  private ScoreOutput() {}

  /**
   * @param graph with at least one output
   * @param sorted its nodes, each after those it reads from
   * @return the output's name; that of the first where none can be scores
   */
  static String of(GraphProto graph, List<NodeProto> sorted) {
    Set<String> possible =
        graph.getOutputList().stream()
            .filter(ScoreOutput::canBeScores)
            .map(ValueInfoProto::getName)
            .collect(Collectors.toCollection(LinkedHashSet::new));
    String first = graph.getOutput(0).getName();
    if (possible.size() < 2) {
      return possible.stream().findFirst().orElse(first);
    }
    Set<String> read = readByLayers(graph, sorted);
    return possible.stream().filter(output -> !read.contains(output)).findFirst().orElse(first);
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

  /** Whether an output is said to be [batch, classes], perhaps with ones behind, or not said. */
  private static boolean isShapedAsScores(ValueInfoProto output) {
    TypeProto.Tensor tensor = output.getType().getTensorType();
    if (!tensor.hasShape()) {
      return true;
    }
    return tensor.getShape().getDimList().stream()
        .skip(2)
        .allMatch(size -> !size.hasDimValue() || size.getDimValue() == 1);
  }

  /** Tensors that a layer reads, or what is made of them, on the way to scores. */
  private static Set<String> readByLayers(GraphProto graph, List<NodeProto> sorted) {
    Set<String> leading = new HashSet<>(); // to scores
    for (ValueInfoProto output : graph.getOutputList()) {
      if (canBeScores(output) && isShapedAsScores(output)) {
        leading.add(output.getName());
      }
    }
    Set<String> throughLayer = new HashSet<>();
    for (int i = sorted.size() - 1; i >= 0; i--) {
      NodeProto node = sorted.get(i);
      List<String> results = results(node);
      if (results.stream().anyMatch(leading::contains)) {
        Set<String> reads = Nodes.reads(node);
        leading.addAll(reads);
        if (LAYERS.contains(node.getOpType())
            || results.stream().anyMatch(throughLayer::contains)) {
          throughLayer.addAll(reads);
        }
      }
    }
    return throughLayer;
  }

  /** Results that hold what the node reads, as real numbers. */
  private static List<String> results(NodeProto node) {
    String type = node.getOpType();
    boolean whole =
        type.equals("Cast")
            && !REAL_TYPES.contains((int) Nodes.integer(node, "to", DataType.FLOAT_VALUE));
    if (DECIDING.contains(type) || whole) {
      return List.of();
    }
    boolean places = type.equals("TopK") || type.equals("MaxPool"); // as a second result
    return node.getOutputList().stream()
        .limit(places ? 1 : Long.MAX_VALUE)
        .filter(name -> !name.isEmpty())
        .toList();
  }
}
