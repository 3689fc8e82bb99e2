package dev.haq.quantizer.onnx;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.DoubleStream;

/**
 * What one image may cost, checked on the shapes that ONNX Runtime infers when it opens a model, or
 * a piece of it, before anything of that is computed: values held at once, and multiplications.
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

  /** Operators whose results have no more values than what they read first. */
  private static final Set<String> KEEPING =
      Set.of(
          "Abs",
          "BatchNormalization",
          "Cast",
          "Ceil",
          "Clip",
          "Compress",
          "Dropout",
          "Elu",
          "Erf",
          "Exp",
          "Flatten",
          "Floor",
          "Gelu",
          "GlobalAveragePool",
          "GlobalMaxPool",
          "HardSigmoid",
          "HardSwish",
          "Identity",
          "InstanceNormalization",
          "LayerNormalization",
          "LeakyRelu",
          "Log",
          "LogSoftmax",
          "Neg",
          "Not",
          "Reciprocal",
          "ReduceMax",
          "ReduceMean",
          "ReduceMin",
          "ReduceSum",
          "Relu",
          "Reshape",
          "Round",
          "Sigmoid",
          "Sign",
          "Slice",
          "Softmax",
          "Split",
          "Sqrt",
          "Squeeze",
          "Tanh",
          "Transpose",
          "Unique",
          "Unsqueeze");

  /** Operators whose result has at most as many values as the product of what they read. */
  private static final Set<String> COMBINING =
      Set.of(
          "Add",
          "And",
          "Div",
          "Einsum",
          "Equal",
          "Gemm",
          "Greater",
          "GreaterOrEqual",
          "Less",
          "LessOrEqual",
          "MatMul",
          "Max",
          "Mean",
          "Min",
          "Mod",
          "Mul",
          "Or",
          "Pow",
          "Sub",
          "Sum",
          "Where",
          "Xor");

  /** A tensor has no more, so a shape has no more values. */
  private static final int MOST_DIMENSIONS = 8;

  /** Each takes 1 ms. A transformer of which no size is known has some tens in every block. */
  private static final int MOST_PIECES = 4000;

  private final Map<String, TensorProto> constants;
  private final Map<String, List<Integer>> shapes;
  private final long largest;
  private final long most;
  private final Set<String> unbounded = new HashSet<>(); // nodes that grow by what is not known
  private final NodeWork work;
  private final Set<String> counted = new HashSet<>();
  private double values;
  private double products;

  /**
   * @param shapes of what is known; gets those that are inferred
   * @param largest values of one tensor
   * @param most values of all tensors together
   */
  ProbeLimits(
      Map<String, TensorProto> constants,
      Map<String, List<Integer>> shapes,
      long largest,
      long most) {
    this.constants = constants;
    this.shapes = shapes;
    this.work = new NodeWork(constants, shapes);
    this.largest = largest;
    this.most = most;
  }

  /** For one image. */
  static ProbeLimits ofImage(
      Map<String, TensorProto> constants, Map<String, List<Integer>> shapes) {
    return new ProbeLimits(constants, shapes, LARGEST_TENSOR, MOST_VALUES);
  }

  /**
   * Takes what is inferred, and adds up what was not known before.
   *
   * @param session with all that the nodes compute as its outputs
   * @return tensors whose shape is not inferred
   * @throws HaqException TOO_LARGE
   */
  Set<String> check(List<NodeProto> nodes, OrtSession session) throws OrtException {
    Map<String, NodeInfo> inferred = session.getOutputInfo();
    Set<String> unknown = new HashSet<>();
    for (NodeProto node : nodes) {
      for (String output : node.getOutputList()) {
        if (output.isEmpty() || shapes.containsKey(output)) {
          continue;
        }
        if (inferred.get(output).getInfo() instanceof TensorInfo info && isKnown(info.getShape())) {
          add(node, info.getShape());
          shapes.put(output, ShapeProbe.toInts(info.getShape()));
        } else {
          if (GROWING.contains(node.getOpType()) && !picksOne(node, inferred)) {
            unbounded.add(node.getName());
          }
          unknown.add(output);
        }
      }
      addWork(node);
    }
    return unknown;
  }

  /** What a tensor that was computed came to. */
  void learn(String tensor, TensorInfo info) {
    if (shapes.putIfAbsent(tensor, ShapeProbe.toInts(info.getShape())) == null) {
      values += size(info.getShape());
    }
  }

  /**
   * Adds up what was not known of nodes before they were run.
   *
   * @throws HaqException TOO_LARGE
   */
  void addLearnt(List<NodeProto> nodes) {
    for (NodeProto node : nodes) {
      addWork(node);
      if (values > most) {
        throw tooLarge(node);
      }
    }
  }

  private static double size(long[] shape) {
    return Arrays.stream(shape).mapToDouble(dim -> dim).reduce(1, (a, b) -> a * b);
  }

  private void add(NodeProto node, long[] shape) {
    double size = size(shape);
    values += size;
    if (size > largest || values > most) {
      throw tooLarge(node);
    }
  }

  /**
   * Once for each node: where shapes that its work depends on are not known yet, with the piece
   * that it is run in, or after that.
   */
  private void addWork(NodeProto node) {
    double each = work.of(node);
    if (Double.isFinite(each) && counted.addAll(node.getOutputList())) {
      products += each;
      if (products > MOST_PRODUCTS) {
        throw tooLarge(node);
      }
    }
  }

  private HaqException tooLarge(NodeProto node) {
    return new HaqException(
        Reason.TOO_LARGE,
        "at node '%s' (%s) one image has come to %.0f values and %.0f multiplications, more than is taken: export the model with a smaller image size"
            .formatted(node.getName(), node.getOpType(), values, products));
  }

  private static HaqException unknownSize(NodeProto node) {
    return new HaqException(
        Reason.UNSUPPORTED_OPERATOR,
        "node '%s' is a %s whose result's size is not known before it runs: export the model with fixed sizes"
            .formatted(node.getName(), node.getOpType()));
  }

  /**
   * Cuts before every operator whose result, with those before it in its piece, may be too large
   * for all that is known of what it reads, or whose work is not known though its result's shape
   * is. There that will be known.
   *
   * @param unknown tensors whose shape is not inferred
   * @throws HaqException UNSUPPORTED_OPERATOR where that is too many
   */
  List<List<NodeProto>> pieces(List<NodeProto> nodes, Set<String> unknown) {
    Map<String, Double> bounds = new HashMap<>();
    List<List<NodeProto>> pieces = new ArrayList<>();
    List<NodeProto> piece = new ArrayList<>();
    double sum = 0;
    for (NodeProto node : nodes) {
      if (node.getOutputList().stream().anyMatch(unknown::contains)) {
        double bound = bound(node, bounds);
        if (sum + bound > largest && !piece.isEmpty()) {
          pieces.add(piece);
          piece = new ArrayList<>();
          sum = 0;
        }
        node.getOutputList()
            .forEach(output -> bounds.put(output, Math.min(bound, (double) largest)));
        sum += bound * node.getOutputCount();
      } else if (!counted.containsAll(node.getOutputList()) && !piece.isEmpty()) {
        pieces.add(piece);
        piece = new ArrayList<>();
        sum = 0;
      }
      piece.add(node);
      if (pieces.size() >= MOST_PIECES) {
        throw unknownSize(node);
      }
    }
    if (!piece.isEmpty()) {
      pieces.add(piece);
    }
    return pieces;
  }

  /**
   * Refuses the first node of a piece where sizes of all that it reads do not bound its result.
   *
   * @param unknown tensors whose shape is not inferred even so
   */
  void requireBounded(NodeProto node, Set<String> unknown) {
    if ((unbounded.contains(node.getName())
            || COMBINING.contains(node.getOpType())
            || Nodes.is(node, "NonZero"))
        && node.getOutputList().stream().anyMatch(unknown::contains)
        && bound(node, Map.of()) > largest) {
      throw unknownSize(node);
    }
  }

  /** The most values that a result can have; infinite where nothing is known. */
  private double bound(NodeProto node, Map<String, Double> bounds) {
    DoubleStream inputs =
        node.getInputList().stream()
            .filter(name -> !name.isEmpty())
            .mapToDouble(name -> size(name, bounds));
    String type = Nodes.is(node, node.getOpType()) ? node.getOpType() : "";
    if (unbounded.contains(node.getName())) {
      return Double.POSITIVE_INFINITY;
    }
    if (KEEPING.contains(type)) {
      return inputs.findFirst().orElse(Double.POSITIVE_INFINITY);
    }
    if (COMBINING.contains(type)) {
      return inputs.reduce(1, (a, b) -> a * Math.max(1, b));
    }
    return switch (type) {
      case "Concat" -> inputs.sum();
      case "Gather" -> inputs.skip(1).findFirst().orElse(Double.POSITIVE_INFINITY);
      case "NonZero" -> inputs.sum() * rank(Nodes.input(node, 0));
      case "Shape", "Size" -> MOST_DIMENSIONS;
      default -> Double.POSITIVE_INFINITY;
    };
  }

  /** The most that it can be where it is not known. */
  private int rank(String name) {
    TensorProto constant = constants.get(name);
    if (constant != null) {
      return Math.max(1, constant.getDimsCount());
    }
    List<Integer> shape = shapes.get(name);
    return shape == null ? MOST_DIMENSIONS : Math.max(1, shape.size());
  }

  private double size(String name, Map<String, Double> bounds) {
    TensorProto constant = constants.get(name);
    if (constant != null) {
      return Tensors.elements(constant);
    }
    List<Integer> shape = shapes.get(name);
    return shape == null
        ? bounds.getOrDefault(name, Double.POSITIVE_INFINITY)
        : shape.stream().mapToDouble(dim -> dim).reduce(1, (a, b) -> a * b);
  }

  /** ONNX Runtime says of a tensor of unknown rank what it says of a scalar: no dimensions. */
  private static boolean isKnown(long[] shape) {
    return shape.length > 0 && Arrays.stream(shape).allMatch(size -> size >= 0);
  }

  /** Whether a node takes values out of a vector, no more than it is given indices. */
  private boolean picksOne(NodeProto node, Map<String, NodeInfo> inferred) {
    if (!Nodes.is(node, "Gather")) {
      return false;
    }
    String data = Nodes.input(node, 0);
    TensorProto constant = constants.get(data);
    if (constant != null) {
      return constant.getDimsCount() == 1;
    }
    if (shapes.containsKey(data)) {
      return shapes.get(data).size() == 1;
    }
    return inferred.get(data) != null
        && inferred.get(data).getInfo() instanceof TensorInfo info
        && info.getShape().length == 1;
  }
}
