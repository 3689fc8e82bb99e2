package dev.haq.quantizer.importing;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Tensors;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Which tensors cannot be negative, by the operators that made them: a ReLU, what only moves,
 * averages or scales its values, and sums of such. These are quantized without a sign (paper, 3.4).
 */
final class NonNegative {
  private static final Set<String> SOURCES =
      Set.of(
          "Relu",
          "Sigmoid",
          "Softmax",
          "HardSigmoid",
          "Abs",
          "Exp",
          "Softplus",
          "Sqrt",
          "ReduceL1",
          "ReduceL2",
          "ReduceSumSquare",
          "LpPool",
          "GlobalLpPool");

  /**
   * Operators whose outputs are values, averages, sums or products of values of their first input.
   */
  private static final Set<String> MOVERS =
      Set.of(
          "MaxPool",
          "AveragePool",
          "GlobalAveragePool",
          "GlobalMaxPool",
          "ReduceMean",
          "ReduceMax",
          "ReduceMin",
          "ReduceSum",
          "ReduceProd",
          "Flatten",
          "Reshape",
          "Squeeze",
          "Unsqueeze",
          "Transpose",
          "Slice",
          "Split",
          "Gather",
          "Expand",
          "Tile",
          "DepthToSpace",
          "SpaceToDepth",
          "Identity");

  /** By the type of the codes that a quantized model has. */
  private static final Map<Integer, Float> LOWEST_CODES =
      Map.of(DataType.UINT8.getNumber(), 0f, DataType.INT8.getNumber(), -128f);

  /** Types that hold a number as it is, or rounded. */
  private static final Set<Integer> REAL =
      Set.of(
          DataType.FLOAT.getNumber(),
          DataType.DOUBLE.getNumber(),
          DataType.FLOAT16.getNumber(),
          DataType.BFLOAT16.getNumber());

  /** Operators that keep all values of their first input and their order. */
  private static final Set<String> RESHAPERS = Set.of("Flatten", "Reshape", "Squeeze", "Identity");

  /** Operators that keep the sign when no input is negative. */
  private static final Set<String> COMBINERS =
      Set.of("Add", "Mul", "Div", "Concat", "Min", "Sum", "Mean");

  private NonNegative() {}

  static Set<String> tensors(GraphDraft draft) {
    Set<String> known = new HashSet<>();
    Set<String> codes = new HashSet<>(); // of known tensors; themselves they may be negative
    for (NodeProto node : draft.nodes) {
      if (Nodes.is(node, "QuantizeLinear") && known.contains(node.getInput(0))) {
        codes.addAll(node.getOutputList());
      }
      boolean dequantized =
          Nodes.is(node, "DequantizeLinear")
              && (codes.contains(node.getInput(0)) || hasLowestZero(draft, node));
      if (dequantized || isNonNegative(draft, node, known)) {
        known.addAll(node.getOutputList());
      }
    }
    known.remove("");
    return known;
  }

  private static boolean isNonNegative(GraphDraft draft, NodeProto node, Set<String> known) {
    String type = node.getOpType();
    if (!Nodes.is(node, type)) {
      return false;
    }
    if (SOURCES.contains(type)) {
      return true;
    }
    if (type.equals("Clip")) {
      return clipMinimum(draft, node) >= 0 || known.contains(node.getInput(0));
    }
    if (MOVERS.contains(type) || isRealCast(node)) {
      return known.contains(Nodes.input(node, 0));
    }
    Predicate<String> nonNegative =
        name -> known.contains(name) || constantNonNegative(draft, name);
    return switch (type) {
      case "Pad" -> known.contains(Nodes.input(node, 0)) && padsWithNonNegative(draft, node);
      case "Resize" -> known.contains(Nodes.input(node, 0)) && staysBetween(node);
      case "LRN" ->
          known.contains(Nodes.input(node, 0))
              && Nodes.real(node, "bias", 1) >= 0
              && Nodes.real(node, "alpha", 1e-4f) >= 0; // divides by what is then above zero
      case "Max" -> node.getInputList().stream().anyMatch(nonNegative);
      default -> COMBINERS.contains(type) && node.getInputList().stream().allMatch(nonNegative);
    };
  }

  /** Whether a Resize makes nothing outside the range of the values it reads, as cubic ones do. */
  private static boolean staysBetween(NodeProto resize) {
    return !Nodes.string(resize, "mode", "nearest").equals("cubic")
        && Nodes.real(resize, "extrapolation_value", 0) >= 0;
  }

  /** Whether no code stands for less than zero: the zero point is the lowest that there is. */
  private static boolean hasLowestZero(GraphDraft draft, NodeProto dequantizing) {
    TensorProto zero = draft.constants.get(Nodes.input(dequantizing, 2));
    if (zero == null || !LOWEST_CODES.containsKey(zero.getDataType())) {
      return false;
    }
    float lowest = LOWEST_CODES.get(zero.getDataType());
    for (float code : Tensors.floats(zero)) {
      if (code != lowest) {
        return false;
      }
    }
    return true;
  }

  /** Whether the node changes the type of real numbers; whole ones wrap, or lose their fraction. */
  private static boolean isRealCast(NodeProto node) {
    return Nodes.is(node, "Cast") && REAL.contains((int) Nodes.integer(node, "to", 0));
  }

  private static float clipMinimum(GraphDraft draft, NodeProto clip) {
    TensorProto bound = draft.constants.get(Nodes.input(clip, 1));
    if (bound != null && Tensors.isFloat(bound) && Tensors.elements(bound) == 1) {
      return Tensors.floats(bound)[0];
    }
    return Nodes.real(clip, "min", Float.NEGATIVE_INFINITY);
  }

  private static boolean padsWithNonNegative(GraphDraft draft, NodeProto pad) {
    String value = Nodes.input(pad, 2);
    return value.isEmpty() ? Nodes.real(pad, "value", 0) >= 0 : constantNonNegative(draft, value);
  }

  private static boolean constantNonNegative(GraphDraft draft, String name) {
    TensorProto tensor = draft.constants.get(name);
    if (tensor == null || !Tensors.isFloat(tensor)) {
      return false;
    }
    for (float value : Tensors.floats(tensor)) {
      if (!(value >= 0)) {
        return false;
      }
    }
    return true;
  }

  /**
   * Whether the scores in {@code output} come out of a softmax and are only moved about or rounded
   * after.
   */
  static boolean isSoftmax(GraphDraft draft, String output) {
    String tensor = output;
    boolean codes = false;
    for (int i = draft.nodes.size() - 1; i >= 0; i--) {
      NodeProto node = draft.nodes.get(i);
      if (node.getOutputList().contains(tensor)) {
        if (Nodes.is(node, "Softmax")) {
          return true;
        }
        if (Nodes.is(node, codes ? "QuantizeLinear" : "DequantizeLinear")) {
          codes = !codes;
        } else if (!RESHAPERS.contains(node.getOpType()) && (codes || !isRealCast(node))) {
          return false;
        }
        tensor = node.getInput(0);
      }
    }
    return false;
  }
}
