package dev.haq.quantizer.onnx;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What one image may cost, checked on the shapes that ONNX Runtime infers when it opens a model,
 * before anything is computed: values held at once, and multiplications.
 */
final class ProbeLimits {
  /**
   * One tensor of one image: 128 MiB as floats. ONNX Runtime holds the few that are still to be
   * read, for two images at most; a network of 224x224 pixels has tensors of about a million.
   */
  private static final long LARGEST_TENSOR = 1L << 25;

  /** All tensors of one image together, which bounds the time that copying operators take. */
  private static final long MOST_VALUES = 1L << 31;

  /** Of one image. EfficientNet-B7 takes 4e10. */
  private static final double MOST_PRODUCTS = 1e12;

  /** Operators whose result can be far larger than what they read. */
  private static final Set<String> GROWING =
      Set.of(
          "Expand",
          "Tile",
          "ConstantOfShape",
          "Range",
          "Resize",
          "Upsample",
          "Pad",
          "OneHot",
          "EyeLike",
          "RandomNormal",
          "RandomUniform",
          "Gather",
          "GatherND",
          "ConvTranspose",
          "MaxUnpool",
          "Col2Im",
          "GridSample",
          "RoiAlign",
          "MaxRoiPool");

  private ProbeLimits() {}

  /**
   * @param shapes gets the shapes that are known
   * @return tensors whose shape is known only by computing them
   * @throws HaqException TOO_LARGE or UNSUPPORTED_OPERATOR
   */
  static Set<String> check(GraphDraft draft, OrtSession session, Map<String, List<Integer>> shapes)
      throws OrtException {
    return check(draft.nodes, draft.constants, session, shapes, LARGEST_TENSOR, MOST_VALUES);
  }

  /**
   * The same for part of a model.
   *
   * @param largest values of one tensor
   * @param most values of all tensors together
   */
  static Set<String> check(
      List<NodeProto> nodes,
      Map<String, TensorProto> constants,
      OrtSession session,
      Map<String, List<Integer>> shapes,
      long largest,
      long most)
      throws OrtException {
    Map<String, NodeInfo> inferred = session.getOutputInfo();
    Set<String> unknown = new LinkedHashSet<>();
    double values = 0;
    double products = 0;
    for (NodeProto node : nodes) {
      for (String output : node.getOutputList()) {
        if (output.isEmpty()) {
          continue;
        }
        if (inferred.get(output).getInfo() instanceof TensorInfo info && isKnown(info.getShape())) {
          double size =
              Arrays.stream(info.getShape()).mapToDouble(dim -> dim).reduce(1, (a, b) -> a * b);
          values += size;
          products += size * productsEach(constants, node, shapes);
          if (size > largest || values > most || products > MOST_PRODUCTS) {
            throw new HaqException(
                Reason.TOO_LARGE,
                "at node '%s' (%s) one image has come to %.0f values and %.0f multiplications, more than is taken: export the model with a smaller image size"
                    .formatted(node.getName(), node.getOpType(), values, products));
          }
          shapes.put(output, ShapeProbe.toInts(info.getShape()));
        } else if (GROWING.contains(node.getOpType()) && !picksOne(node, constants, inferred)) {
          throw new HaqException(
              Reason.UNSUPPORTED_OPERATOR,
              "node '%s' is a %s whose result's size is not known before it runs: export the model with fixed sizes"
                  .formatted(node.getName(), node.getOpType()));
        } else {
          unknown.add(output);
        }
      }
    }
    return unknown;
  }

  /** ONNX Runtime says of a tensor of unknown rank what it says of a scalar: no dimensions. */
  private static boolean isKnown(long[] shape) {
    return shape.length > 0 && Arrays.stream(shape).allMatch(size -> size >= 0);
  }

  /** Whether a node takes values out of a vector, no more than it is given indices. */
  private static boolean picksOne(
      NodeProto node, Map<String, TensorProto> constants, Map<String, NodeInfo> inferred) {
    if (!Nodes.is(node, "Gather")) {
      return false;
    }
    String data = Nodes.input(node, 0);
    TensorProto constant = constants.get(data);
    NodeInfo computed = inferred.get(data);
    int dimensions =
        constant != null
            ? constant.getDimsCount()
            : computed != null && computed.getInfo() instanceof TensorInfo info
                ? info.getShape().length
                : 0;
    return dimensions == 1;
  }

  /** Multiplications, or values read, for each value of a node's result. */
  private static double productsEach(
      Map<String, TensorProto> constants, NodeProto node, Map<String, List<Integer>> shapes) {
    double window =
        Arrays.stream(Nodes.ints(node, "kernel_shape", 1))
            .mapToDouble(k -> k)
            .reduce(1, (a, b) -> a * b);
    double weights = 1;
    TensorProto constant = constants.get(Nodes.input(node, 1));
    if (constant != null && constant.getDimsCount() > 1) {
      double elements =
          constant.getDimsList().stream().mapToDouble(dim -> dim).reduce(1, (a, b) -> a * b);
      double outputs =
          Nodes.is(node, "MatMul")
              ? constant.getDims(constant.getDimsCount() - 1)
              : constant.getDims(0);
      weights = elements / Math.max(1, outputs);
    } else if (Nodes.is(node, "MatMul") && shapes.containsKey(node.getInput(0))) {
      List<Integer> rows = shapes.get(node.getInput(0));
      weights = rows.isEmpty() ? 1 : rows.get(rows.size() - 1);
    }
    return Math.max(window, weights);
  }
}
