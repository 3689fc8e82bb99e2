package dev.haq.quantizer.importing;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.haq.quantizer.onnx.Nodes;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * How many multiplications a node takes, or values it reads and writes where those are more, and
 * how many values it holds meanwhile, by the shapes of what it reads. Of an operator that is not
 * known it is a bound.
 */
final class NodeWork {
  /** Operators beside the standard that take a value or a few for each of their results. */
  private static final Set<String> LIGHT =
      Set.of(
          "ArrayFeatureExtractor",
          "BiasAdd",
          "BiasDropout",
          "BiasGelu",
          "BiasSoftmax",
          "BiasSplitGelu",
          "Binarizer",
          "BitmaskBiasDropout",
          "BitmaskDropout",
          "ComplexMul",
          "ComplexMulConj",
          "CropAndResize",
          "DequantizeLinear",
          "EmbedLayerNormalization",
          "ExpandDims",
          "FastGelu",
          "FeatureVectorizer",
          "GatherBlockQuantized",
          "GatherND",
          "Gelu",
          "GemmaRotaryEmbedding",
          "GridSample",
          "GroupNorm",
          "Imputer",
          "LabelEncoder",
          "MaxpoolWithMask",
          "NhwcMaxPool",
          "Normalizer",
          "Pad",
          "QEmbedLayerNormalization",
          "QLinearAdd",
          "QLinearAveragePool",
          "QLinearConcat",
          "QLinearGlobalAveragePool",
          "QLinearLeakyRelu",
          "QLinearMul",
          "QLinearReduceMean",
          "QLinearSigmoid",
          "QLinearSoftmax",
          "QLinearWhere",
          "QuantizeLinear",
          "QuickGelu",
          "Range",
          "RemovePadding",
          "RestorePadding",
          "RotaryEmbedding",
          "SampleOp",
          "Scaler",
          "SimplifiedLayerNormalization",
          "SkipGroupNorm",
          "SkipLayerNormalization",
          "SkipSimplifiedLayerNormalization",
          "TorchEmbedding",
          "Trilu",
          "UnfoldTensor",
          "Unique");

  /** An entry of a sorted tree takes 120 bytes. */
  private static final int UNIQUE_VALUES = 30;

  private final Map<String, TensorProto> constants;
  private final Map<String, List<Integer>> shapes;

  /**
   * @param shapes of what is computed, as far as they are known; may get more
   */
  NodeWork(Map<String, TensorProto> constants, Map<String, List<Integer>> shapes) {
    this.constants = constants;
    this.shapes = shapes;
  }

  /** Infinite where the shapes that it depends on are not known. */
  double of(NodeProto node) {
    return Math.max(
        passedOver(node),
        switch (node.getOpType()) {
          case "Conv", "DeformConv", "NhwcConv" -> results(node) * perFirst(node, 1);
          case "ConvTranspose", "ConvTransposeWithDynamicPads" -> size(node, 0) * perFirst(node, 1);
          case "MatMul", "TransposeMatMul", "Gemm", "GemmFastGelu", "GemmFloat8" ->
              results(node) * summed(node);
          case "Einsum" -> einsum(node);
          case "LSTM", "GRU", "RNN" ->
              size(node, 0) / last(node, 0) * (size(node, 1) + size(node, 2));
          case "Det" -> size(node, 0) * last(node, 0);
          case "NonMaxSuppression" -> size(node, 0) * size(node, 1);
          case "LRN" -> results(node) * Nodes.integer(node, "size", 1);
          case "DFT", "STFT", "MaxRoiPool", "RoiAlign" -> atMost(node);
          default -> other(node);
        });
  }

  /** Values of 4 bytes that ONNX Runtime holds while the node runs, besides its results. */
  double beside(NodeProto node) {
    double values =
        switch (node.getOpType()) {
          // Every input pixel as a patch of the output.
          case "ConvTranspose", "ConvTransposeWithDynamicPads" ->
              pixels(Nodes.input(node, 0)) * perFirst(node, 1);
          // A patch for every output pixel; convolutions over up to three dimensions have none.
          case "DeformConv" ->
              pixels(node.getOutput(0)) * perFirst(node, 1) * Nodes.integer(node, "group", 1);
          case "Conv" -> rank(node, 0) > 5 ? pixels(node.getOutput(0)) * perFirst(node, 1) : 0;
          // Two operands are multiplied as matrices, more by way of what they share.
          case "Einsum" -> node.getInputCount() > 2 ? einsum(node) : 0;
          case "Unique" -> size(node, 0) * UNIQUE_VALUES;
          default -> node.getOpType().endsWith("Attention") ? attentionWeights(node) : 0;
        };
    return Double.isFinite(values) ? values : 0;
  }

  /** Of every query and head for every token. */
  private double attentionWeights(NodeProto node) {
    double tokens = 0;
    for (int i = 0; i < node.getInputCount(); i++) {
      double[] dims = dims(node.getInput(i));
      if (dims != null && (i == 0 || dims.length > 2)) {
        tokens += Arrays.stream(dims, 0, Math.max(0, dims.length - 1)).max().orElse(1);
      }
    }
    long heads =
        Math.max(1, Nodes.integer(node, "num_heads", Nodes.integer(node, "q_num_heads", 1)));
    return size(node, 0) / last(node, 0) * heads * tokens;
  }

  /** Of one channel, 1 where there are none or they are not known. */
  private double pixels(String name) {
    double[] dims = dims(name);
    return dims == null ? 1 : Arrays.stream(dims).skip(2).reduce(1, (a, b) -> a * b);
  }

  private int rank(NodeProto node, int input) {
    double[] dims = dims(Nodes.input(node, input));
    return dims == null ? 0 : dims.length;
  }

  private double other(NodeProto node) {
    if (node.getOpType().endsWith("Attention")) {
      return attention(node);
    }
    boolean light =
        Nodes.is(node, node.getOpType())
            ? !UncountedLayers.isInteger(node)
            : LIGHT.contains(node.getOpType());
    return light ? results(node) * window(node) : atMost(node);
  }

  /**
   * Of queries with the keys of all tokens, of what comes of that with their values, and, in ONNX
   * Runtime's own operators, of tokens with the weights that make these of them.
   */
  private double attention(NodeProto node) {
    double rows = 0; // of all that is made of tokens
    double tokens = 0;
    double weights = 0;
    for (int i = 0; i < node.getInputCount(); i++) {
      double[] dims = dims(node.getInput(i));
      if (dims == null && !node.getInput(i).isEmpty()) {
        return Double.POSITIVE_INFINITY;
      }
      if (dims == null || dims.length < 2) {
        continue;
      }
      if (i == 0 || dims.length > 2) {
        rows += size(node, i) / last(node, i);
        tokens += Arrays.stream(dims, 0, dims.length - 1).max().orElse(1);
      } else if (!Nodes.is(node, node.getOpType())) {
        weights += size(node, i);
      }
    }
    double queries = size(node, 0) / last(node, 0) * (last(node, 0) + last(node, 1));
    return rows * weights + (queries + results(node)) * tokens;
  }

  /** Values that the node may read; those that are not known are bounded elsewhere. */
  private double passedOver(NodeProto node) {
    double sum = 0;
    for (String name : Nodes.reads(node)) {
      double size = size(name);
      sum += Double.isFinite(size) ? size : 0;
    }
    return sum;
  }

  /** No result has more terms than there are values to read. */
  private double atMost(NodeProto node) {
    double sum = 0;
    for (int i = 0; i < node.getInputCount(); i++) {
      sum += node.getInput(i).isEmpty() ? 0 : size(node, i);
    }
    return results(node) * Math.max(1, sum);
  }

  private double results(NodeProto node) {
    return node.getOutputList().stream()
        .filter(name -> !name.isEmpty())
        .mapToDouble(this::size)
        .sum();
  }

  private static double window(NodeProto node) {
    return Arrays.stream(Nodes.ints(node, "kernel_shape"))
        .mapToDouble(k -> k)
        .reduce(1, (a, b) -> a * b);
  }

  /** Values of an input for each of its first dimension: weights of an output, or of an input. */
  private double perFirst(NodeProto node, int input) {
    double[] dims = dims(Nodes.input(node, input));
    return dims == null
        ? Double.POSITIVE_INFINITY
        : Arrays.stream(dims).skip(1).reduce(1, (a, b) -> a * b);
  }

  /** Terms of each value of a product of matrices: by either, whichever is known. */
  private double summed(NodeProto node) {
    double[] first = dims(Nodes.input(node, 0));
    double[] second = dims(Nodes.input(node, 1));
    if (first == null && second == null) {
      return Double.POSITIVE_INFINITY;
    }
    return first != null
        ? summed(first, isSet(node, "transA") ? 2 : 1, isSet(node, "transBatchA"))
        : summed(second, isSet(node, "transB") ? 1 : 2, isSet(node, "transBatchB"));
  }

  /**
   * @param fromBehind which dimension is added up over
   * @param moved whether it may be any
   */
  private static double summed(double[] dims, int fromBehind, boolean moved) {
    return moved || dims.length == 0
        ? Arrays.stream(dims).max().orElse(1)
        : dims[Math.max(0, dims.length - fromBehind)];
  }

  private static boolean isSet(NodeProto node, String attribute) {
    return Nodes.integer(node, attribute, 0) != 0;
  }

  /** One for each value of every label, in each of the products that it is made of. */
  private double einsum(NodeProto node) {
    String[] terms =
        Nodes.string(node, "equation", "").replace(" ", "").split("->", -1)[0].split(",", -1);
    Map<Character, Double> labels = new HashMap<>();
    double others = 1;
    for (int i = 0; i < terms.length; i++) {
      double[] dims = dims(Nodes.input(node, i));
      String named = terms[i].replace("...", "");
      if (dims == null || dims.length < named.length()) {
        return Double.POSITIVE_INFINITY;
      }
      int before = terms[i].contains("...") ? terms[i].indexOf("...") : named.length();
      int unnamed = dims.length - named.length();
      double product = 1;
      for (int d = 0; d < dims.length; d++) {
        if (d >= before && d < before + unnamed) {
          product *= dims[d];
        } else {
          labels.merge(named.charAt(d < before ? d : d - unnamed), dims[d], Math::max);
        }
      }
      others = Math.max(others, product);
    }
    return labels.values().stream().reduce(others, (a, b) -> a * b) * Math.max(1, terms.length - 1);
  }

  private double last(NodeProto node, int input) {
    double[] dims = dims(Nodes.input(node, input));
    return dims == null || dims.length == 0 ? 1 : Math.max(1, dims[dims.length - 1]);
  }

  private double size(NodeProto node, int input) {
    return size(Nodes.input(node, input));
  }

  private double size(String name) {
    double[] dims = dims(name);
    return dims == null ? Double.POSITIVE_INFINITY : Arrays.stream(dims).reduce(1, (a, b) -> a * b);
  }

  /** Null where they are not known. */
  private double[] dims(String name) {
    TensorProto constant = constants.get(name);
    if (constant != null) {
      return constant.getDimsList().stream().mapToDouble(dim -> dim).toArray();
    }
    List<Integer> shape = shapes.get(name);
    return shape == null ? null : shape.stream().mapToDouble(dim -> dim).toArray();
  }
}
