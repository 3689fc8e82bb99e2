package dev.haq.quantizer.importing;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.TensorInfo;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Tensors;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.DoubleStream;

/** How many values results have at most whose shapes are not inferred. */
final class ResultBounds {
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
          "MaxRoiPool",
          "HannWindow",
          "HammingWindow",
          "BlackmanWindow",
          "MelWeightMatrix",
          "DFT",
          "STFT",
          "CenterCropPad",
          "AffineGrid");

  /**
   * Operators whose results have no more values than what they read first, whichever domain they
   * are of.
   */
  private static final Set<String> KEEPING =
      Set.of(
          "Abs",
          "Acos",
          "ArgMax",
          "ArgMin",
          "Asin",
          "Atan",
          "BatchNormalization",
          "Binarizer",
          "Cast",
          "CastLike",
          "Ceil",
          "Celu",
          "Clip",
          "Compress",
          "ConcatFromSequence",
          "Cos",
          "CumSum",
          "DepthToSpace",
          "DequantizeLinear",
          "Dropout",
          "DynamicQuantizeLinear",
          "Elu",
          "Erf",
          "Exp",
          "Flatten",
          "Floor",
          "Gelu",
          "GlobalAveragePool",
          "GlobalMaxPool",
          "GroupNormalization",
          "HardSigmoid",
          "HardSwish",
          "Hardmax",
          "Identity",
          "Imputer",
          "InstanceNormalization",
          "IsInf",
          "IsNaN",
          "LRN",
          "LayerNormalization",
          "LeakyRelu",
          "Log",
          "LogSoftmax",
          "LpNormalization",
          "MeanVarianceNormalization",
          "Mish",
          "Neg",
          "Normalizer",
          "Not",
          "QuantizeLinear",
          "Reciprocal",
          "ReduceL1",
          "ReduceL2",
          "ReduceLogSum",
          "ReduceLogSumExp",
          "ReduceMax",
          "ReduceMean",
          "ReduceMin",
          "ReduceProd",
          "ReduceSum",
          "ReduceSumSquare",
          "Relu",
          "Reshape",
          "Round",
          "Scaler",
          "ScatterElements",
          "ScatterND",
          "Selu",
          "SequenceAt",
          "Shrink",
          "Sigmoid",
          "Sign",
          "Sin",
          "SkipLayerNormalization",
          "Slice",
          "Softmax",
          "Softplus",
          "Softsign",
          "SpaceToDepth",
          "Split",
          "SplitToSequence",
          "Sqrt",
          "Squeeze",
          "Tanh",
          "ThresholdedRelu",
          "TopK",
          "Transpose",
          "Trilu",
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
          "PRelu",
          "Pow",
          "Sub",
          "Sum",
          "Where",
          "Xor");

  /** Operators whose result is what they read, one after the other. */
  private static final Set<String> JOINING =
      Set.of("Concat", "SequenceConstruct", "SequenceInsert");

  /** Classical models, which have an attribute of at least as many numbers as results a row. */
  private static final Set<String> OF_ATTRIBUTES =
      Set.of(
          "LinearClassifier",
          "LinearRegressor",
          "SVMClassifier",
          "SVMRegressor",
          "TreeEnsembleClassifier");

  /** A tensor has no more, so a shape has no more values. */
  private static final int MOST_DIMENSIONS = 8;

  private final Map<String, TensorProto> constants;
  private final Map<String, List<Integer>> shapes;
  private final Set<String> unbounded = new HashSet<>(); // nodes that grow by what is not known

  /**
   * @param shapes of what is computed, as far as they are known; may get more
   */
  ResultBounds(Map<String, TensorProto> constants, Map<String, List<Integer>> shapes) {
    this.constants = constants;
    this.shapes = shapes;
  }

  /**
   * To be told of each node with a result whose shape is not inferred.
   *
   * @param inferred of what is computed, where anything is
   */
  void learn(NodeProto node, Map<String, NodeInfo> inferred) {
    String type = type(node);
    if ((type.isEmpty() || GROWING.contains(type)) && !picksOne(node, inferred)) {
      unbounded.add(node.getName());
    }
  }

  /** What is known of an operator; empty where it is of a domain that nothing is known of. */
  private static String type(NodeProto node) {
    String type = node.getOpType();
    return Nodes.is(node, type)
            || KEEPING.contains(type)
            || JOINING.contains(type)
            || OF_ATTRIBUTES.contains(type)
        ? type
        : "";
  }

  /** Whether a result may be larger than all that the node reads. */
  boolean mayGrow(NodeProto node) {
    String type = type(node);
    return unbounded.contains(node.getName())
        || COMBINING.contains(type)
        || JOINING.contains(type)
        || OF_ATTRIBUTES.contains(type)
        || type.equals("NonZero");
  }

  /** As {@link #of(NodeProto, Map)} by known shapes alone. */
  double of(NodeProto node) {
    return of(node, new HashMap<>());
  }

  /**
   * The most values that a result can have; infinite where nothing is known.
   *
   * @param most of tensors whose shapes are not known
   */
  double of(NodeProto node, Map<String, Double> most) {
    DoubleStream inputs =
        node.getInputList().stream()
            .filter(name -> !name.isEmpty())
            .mapToDouble(name -> size(name, most));
    String type = type(node);
    if (unbounded.contains(node.getName())) {
      return Double.POSITIVE_INFINITY;
    }
    if (KEEPING.contains(type)) {
      return inputs.findFirst().orElse(Double.POSITIVE_INFINITY);
    }
    if (COMBINING.contains(type)) {
      return inputs.reduce(1, (a, b) -> a * Math.max(1, b));
    }
    if (JOINING.contains(type)) {
      return inputs.sum();
    }
    if (OF_ATTRIBUTES.contains(type)) {
      return inputs.sum() * numbers(node);
    }
    return switch (type) {
      case "Constant" ->
          ConstantFolding.constant(node).map(Tensors::elements).orElse(MOST_DIMENSIONS);
      case "Gather" -> inputs.skip(1).findFirst().orElse(Double.POSITIVE_INFINITY);
      case "NonZero" -> 2 * inputs.sum() * rank(Nodes.input(node, 0)); // of 8 bytes each
      case "Shape", "Size" -> MOST_DIMENSIONS;
      default -> Double.POSITIVE_INFINITY;
    };
  }

  /** In the longest of a node's attributes. */
  private static int numbers(NodeProto node) {
    return node.getAttributeList().stream()
        .mapToInt(a -> Math.max(a.getFloatsCount(), a.getIntsCount()))
        .max()
        .orElse(0);
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

  /** As if no dimension were 0: reductions and products of tensors without values have some. */
  private static double filled(List<? extends Number> dims) {
    return dims.stream()
        .mapToDouble(dim -> Math.max(1, dim.doubleValue()))
        .reduce(1, (a, b) -> a * b);
  }

  private double size(String name, Map<String, Double> most) {
    TensorProto constant = constants.get(name);
    if (constant != null) {
      return filled(constant.getDimsList());
    }
    List<Integer> shape = shapes.get(name);
    return shape == null ? most.getOrDefault(name, Double.POSITIVE_INFINITY) : filled(shape);
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
