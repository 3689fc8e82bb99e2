package dev.haq.quantizer.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.nn.Activation;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.haq.quantizer.onnx.Nodes;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BinaryOperator;
import java.util.function.LongBinaryOperator;
import java.util.function.UnaryOperator;

/** Operators that work value by value: activation functions and arithmetic with broadcasting. */
final class NdElementwise {
  private static final float SELU_ALPHA = 1.6732632f;
  private static final float SELU_GAMMA = 1.0507010f;

  private static final Set<Integer> WHOLE_TYPES =
      Set.of(TensorProto.DataType.INT64_VALUE, TensorProto.DataType.INT32_VALUE);

  private static final Set<Integer> REAL_TYPES =
      Set.of(
          TensorProto.DataType.FLOAT_VALUE,
          TensorProto.DataType.DOUBLE_VALUE,
          TensorProto.DataType.FLOAT16_VALUE,
          TensorProto.DataType.BFLOAT16_VALUE);

  private NdElementwise() {}

  static void register(Map<String, NdOperator> operators) {
    unary(operators, "Identity", x -> x);
    unary(operators, "Dropout", x -> x);
    unary(operators, "Relu", Activation::relu);
    unary(operators, "Sigmoid", Activation::sigmoid);
    unary(operators, "Tanh", Activation::tanh);
    unary(operators, "Softplus", Activation::softPlus);
    unary(operators, "Softsign", Activation::softSign);
    unary(operators, "Mish", x -> x.mul(Activation.softPlus(x).tanh()));
    unary(operators, "Abs", NDArray::abs);
    unary(operators, "Neg", NDArray::neg);
    unary(operators, "Exp", NDArray::exp);
    unary(operators, "Log", NDArray::log);
    unary(operators, "Sqrt", NDArray::sqrt);
    unary(operators, "Erf", NDArray::erf);
    unary(operators, "Reciprocal", x -> Scalars.power(x, -1));
    unary(operators, "HardSwish", x -> x.mul(Scalars.times(x, 1f / 6).add(0.5f).clip(0, 1)));
    withNode(
        operators,
        "LeakyRelu",
        (node, x) -> Activation.leakyRelu(x, Nodes.real(node, "alpha", 0.01f)));
    withNode(operators, "Elu", (node, x) -> Activation.elu(x, Nodes.real(node, "alpha", 1)));
    withNode(operators, "Selu", NdElementwise::selu);
    withNode(
        operators,
        "HardSigmoid",
        (node, x) ->
            Scalars.times(x, Nodes.real(node, "alpha", 0.2f))
                .add(Nodes.real(node, "beta", 0.5f))
                .clip(0, 1));
    withNode(operators, "Gelu", NdElementwise::gelu);
    withNode(
        operators,
        "Swish",
        (node, x) -> x.mul(Activation.sigmoid(Scalars.times(x, Nodes.real(node, "alpha", 1)))));
    operators.put("Cast", (node, in) -> List.of(cast(node, in)));
    operators.put("Clip", (node, in) -> NdGraph.one(clip(in)));
    operators.put("PRelu", (node, in) -> NdGraph.one(prelu(in.real(0), in.real(1))));
    binary(operators, "Add", NDArray::add, Long::sum);
    binary(operators, "Sub", (a, b) -> a.sub(b), (a, b) -> a - b);
    binary(operators, "Mul", NDArray::mul, (a, b) -> a * b);
    binary(operators, "Div", (a, b) -> a.div(b), (a, b) -> a / b);
    binary(
        operators,
        "Pow",
        (a, b) -> a.pow(b),
        (a, b) -> Math.round(Math.pow((double) a, (double) b)));
    many(operators, "Sum", NDArray::add);
    many(operators, "Max", NDArrays::maximum);
    many(operators, "Min", NDArrays::minimum);
    operators.put("BatchNormalization", (node, in) -> NdGraph.one(batchNorm(node, in)));
  }

  private interface NodeOperator {
    NDArray apply(NodeProto node, NDArray x);
  }

  private static void unary(
      Map<String, NdOperator> operators, String type, UnaryOperator<NDArray> operator) {
    operators.put(
        type,
        (node, in) ->
            in.get(0) instanceof NdValue.Whole whole && type.equals("Identity")
                ? List.of(whole)
                : NdGraph.one(operator.apply(in.real(0))));
  }

  private static void withNode(
      Map<String, NdOperator> operators, String type, NodeOperator operator) {
    operators.put(type, (node, in) -> NdGraph.one(operator.apply(node, in.real(0))));
  }

  private static void binary(
      Map<String, NdOperator> operators,
      String type,
      BinaryOperator<NDArray> real,
      LongBinaryOperator whole) {
    operators.put(
        type,
        (node, in) -> {
          if (in.get(0) instanceof NdValue.Whole a && in.get(1) instanceof NdValue.Whole b) {
            return List.of(whole(a, b, whole));
          }
          // The exponent of a power may be whole where the base is real.
          NDArray second = type.equals("Pow") ? in.realOfWhole(1) : in.real(1);
          return NdGraph.one(real.apply(in.real(0), second));
        });
  }

  private static NdValue whole(NdValue.Whole a, NdValue.Whole b, LongBinaryOperator operator) {
    int size = Math.max(a.numbers().length, b.numbers().length);
    long[] result = new long[size];
    Arrays.setAll(
        result,
        i ->
            operator.applyAsLong(
                a.numbers()[i % a.numbers().length], b.numbers()[i % b.numbers().length]));
    return new NdValue.Whole(result, a.scalar() && b.scalar());
  }

  private static void many(
      Map<String, NdOperator> operators, String type, BinaryOperator<NDArray> operator) {
    operators.put(
        type,
        (node, in) -> {
          NDArray result = in.real(0);
          for (int i = 1; i < in.size(); i++) {
            result = operator.apply(result, in.real(i));
          }
          return NdGraph.one(result);
        });
  }

  private static NdValue cast(NodeProto node, NdOperator.Inputs in) {
    boolean whole = in.get(0) instanceof NdValue.Whole;
    boolean changes = whole != staysWhole(node, whole);
    return changes ? new NdValue.Real(in.realOfWhole(0)) : in.get(0);
  }

  /**
   * Whether a Cast answers whole numbers.
   *
   * @param whole whether it is given some
   * @throws NdOperator.UnsupportedInput where it makes other numbers: nothing here rounds real ones
   */
  static boolean staysWhole(NodeProto cast, boolean whole) {
    int to = (int) Nodes.integer(cast, "to", TensorProto.DataType.UNDEFINED_VALUE);
    if (whole && WHOLE_TYPES.contains(to)) {
      return true;
    }
    if (!REAL_TYPES.contains(to)) {
      throw new NdOperator.UnsupportedInput(
          whole ? "of whole numbers to others" : "of real numbers to others");
    }
    return false;
  }

  private static NDArray clip(NdOperator.Inputs in) {
    NDArray x = in.real(0);
    float low = in.has(1) ? in.number(1) : Float.NEGATIVE_INFINITY;
    float high = in.has(2) ? in.number(2) : Float.POSITIVE_INFINITY;
    return low == 0 && Float.isInfinite(high) ? Activation.relu(x) : x.clip(low, high);
  }

  private static NDArray prelu(NDArray x, NDArray slope) {
    return Activation.relu(x).sub(Activation.relu(x.neg()).mul(slope));
  }

  private static NDArray selu(NodeProto node, NDArray x) {
    float alpha = Nodes.real(node, "alpha", SELU_ALPHA);
    float gamma = Nodes.real(node, "gamma", SELU_GAMMA);
    return Scalars.times(Activation.elu(x, alpha), gamma);
  }

  private static NDArray gelu(NodeProto node, NDArray x) {
    if (Nodes.string(node, "approximate", "none").equals("tanh")) {
      NDArray cubed = Scalars.times(Scalars.power(x, 3), 0.044715f);
      NDArray inner = Scalars.times(x.add(cubed), (float) Math.sqrt(2 / Math.PI));
      return Scalars.times(x.mul(inner.tanh().add(1)), 0.5f);
    }
    NDArray share = Scalars.times(x, (float) Math.sqrt(0.5)).erf().add(1);
    return Scalars.times(x.mul(share), 0.5f);
  }

  /** With the statistics it was exported with: they stay as they are while weights are tuned. */
  private static NDArray batchNorm(NodeProto node, NdOperator.Inputs in) {
    NDArray x = in.real(0);
    float epsilon = Nodes.real(node, "epsilon", 1e-5f);
    long[] perChannel = new long[x.getShape().dimension()];
    Arrays.fill(perChannel, 1);
    perChannel[1] = -1;
    NDArray factor = in.real(1).div(in.real(4).add(epsilon).sqrt());
    NDArray shift = in.real(2).sub(in.real(3).mul(factor));
    return x.mul(factor.reshape(perChannel)).add(shift.reshape(perChannel));
  }
}
