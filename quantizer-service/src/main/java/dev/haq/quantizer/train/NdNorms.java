package dev.haq.quantizer.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import ai.onnx.proto.OnnxMl.NodeProto;
import dev.haq.quantizer.onnx.Nodes;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.IntStream;

/** Operators that divide values by a statistic of those around them. */
final class NdNorms {
  private static final float EPSILON = 1e-5f;

  private NdNorms() {}

  static void register(Map<String, NdOperator> operators) {
    operators.put("LayerNormalization", (node, in) -> NdGraph.one(layerNorm(node, in)));
    operators.put("InstanceNormalization", (node, in) -> NdGraph.one(instanceNorm(node, in)));
    operators.put("GroupNormalization", (node, in) -> NdGraph.one(groupNorm(node, in)));
    operators.put("LRN", (node, in) -> NdGraph.one(localResponseNorm(node, in.real(0))));
  }

  /** Of mean 0 and variance 1 over the dimensions from {@code axis} on. */
  private static NDArray standardized(NDArray x, int axis, float epsilon) {
    int[] axes = IntStream.range(axis, x.getShape().dimension()).toArray();
    float share = 1f / x.getShape().slice(axis).size();
    NDArray centred = x.sub(Scalars.times(x.sum(axes, true), share));
    NDArray variance = Scalars.times(centred.mul(centred).sum(axes, true), share);
    return centred.div(variance.add(epsilon).sqrt());
  }

  private static NDArray layerNorm(NodeProto node, NdOperator.Inputs in) {
    NDArray x = in.real(0);
    int axis = (int) Nodes.integer(node, "axis", -1);
    int from = axis < 0 ? axis + x.getShape().dimension() : axis;
    NDArray scaled = standardized(x, from, Nodes.real(node, "epsilon", EPSILON)).mul(in.real(1));
    return in.has(2) ? scaled.add(in.real(2)) : scaled;
  }

  private static NDArray instanceNorm(NodeProto node, NdOperator.Inputs in) {
    NDArray x = in.real(0);
    return perChannel(standardized(x, 2, Nodes.real(node, "epsilon", EPSILON)), in);
  }

  /** The channels of a group together; scale and shift of each channel, or of each group. */
  private static NDArray groupNorm(NodeProto node, NdOperator.Inputs in) {
    NDArray x = in.real(0);
    long groups = Nodes.integer(node, "num_groups", 1);
    NDArray grouped = x.reshape(x.getShape().get(0), groups, -1);
    NDArray standard = standardized(grouped, 2, Nodes.real(node, "epsilon", EPSILON));
    boolean perGroup = in.real(1).size() == groups;
    return perGroup
        ? perChannel(standard, in).reshape(x.getShape())
        : perChannel(standard.reshape(x.getShape()), in);
  }

  /** Times input 1 and plus input 2, which hold a value for each place of the second dimension. */
  private static NDArray perChannel(NDArray x, NdOperator.Inputs in) {
    long[] channels = new long[x.getShape().dimension()];
    Arrays.fill(channels, 1);
    channels[1] = -1;
    return x.mul(in.real(1).reshape(channels)).add(in.real(2).reshape(channels));
  }

  /** By the squares of the channels beside it (Krizhevsky et al. 2012, section 3.3). */
  private static NDArray localResponseNorm(NodeProto node, NDArray x) {
    int size = (int) Nodes.integer(node, "size", 1);
    int before = (size - 1) / 2;
    long channels = x.getShape().get(1);
    Shape sides = new Shape(0, 0, 0, 0, before, size - 1 - before); // the last dimension first
    NDArray squares = x.mul(x).pad(sides, 0);
    NDArray sum = squares.get(new NDIndex(":, 0:" + channels));
    for (int i = 1; i < size; i++) {
      sum = sum.add(squares.get(new NDIndex(":, " + i + ":" + (i + channels))));
    }
    NDArray base =
        Scalars.times(sum, Nodes.real(node, "alpha", 1e-4f) / size)
            .add(Nodes.real(node, "bias", 1));
    return x.mul(Scalars.power(base, -Nodes.real(node, "beta", 0.75f)));
  }
}
