package dev.haq.quantizer.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import ai.onnx.proto.OnnxMl.NodeProto;
import dev.haq.quantizer.onnx.Nodes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Operators that move values about or take sums over dimensions, on tensors and on the whole
 * numbers that shapes are made of.
 */
final class NdShapes {
  private NdShapes() {}

  static void register(Map<String, NdOperator> operators) {
    operators.put("Shape", (node, in) -> List.of(shape(node, in.real(0))));
    operators.put("Concat", (node, in) -> List.of(concat(node, in)));
    operators.put("Flatten", (node, in) -> NdGraph.one(flatten(node, in.real(0))));
    operators.put("Reshape", (node, in) -> NdGraph.one(reshape(node, in)));
    operators.put("Transpose", (node, in) -> NdGraph.one(transpose(node, in.real(0))));
    operators.put("Squeeze", (node, in) -> List.of(squeeze(node, in)));
    operators.put("Unsqueeze", (node, in) -> List.of(unsqueeze(node, in)));
    operators.put("Slice", (node, in) -> List.of(slice(in)));
    operators.put("Split", NdShapes::split);
    operators.put("Pad", (node, in) -> NdGraph.one(pad(node, in)));
    operators.put(
        "Softmax", (node, in) -> NdGraph.one(in.real(0).softmax(axis(node, in.real(0), -1))));
    operators.put(
        "LogSoftmax", (node, in) -> NdGraph.one(in.real(0).logSoftmax(axis(node, in.real(0), -1))));
    operators.put("ReduceMean", (node, in) -> NdGraph.one(reduce(node, in, true)));
    operators.put("ReduceSum", (node, in) -> NdGraph.one(reduce(node, in, false)));
    operators.put("ReduceMax", (node, in) -> NdGraph.one(reduceMax(node, in)));
    operators.put("MatMul", (node, in) -> NdGraph.one(in.real(0).matMul(in.real(1))));
  }

  private static NdValue vector(long... numbers) {
    return new NdValue.Whole(numbers, false);
  }

  private static NdValue shape(NodeProto node, NDArray x) {
    long[] shape = x.getShape().getShape();
    int from = position((int) Nodes.integer(node, "start", 0), shape.length);
    int to = position((int) Nodes.integer(node, "end", shape.length), shape.length);
    return vector(Arrays.copyOfRange(shape, from, Math.max(from, to)));
  }

  /** A dimension's number, counted from the back where it is negative. */
  private static int position(int axis, int dimensions) {
    return axis < 0 ? axis + dimensions : axis;
  }

  private static int axis(NodeProto node, NDArray x, int absent) {
    return position((int) Nodes.integer(node, "axis", absent), x.getShape().dimension());
  }

  private static NdValue concat(NodeProto node, NdOperator.Inputs in) {
    if (in.get(0) instanceof NdValue.Whole) {
      return vector(
          IntStream.range(0, in.size())
              .mapToObj(in::whole)
              .flatMapToLong(Arrays::stream)
              .toArray());
    }
    NDList parts = new NDList();
    for (int i = 0; i < in.size(); i++) {
      parts.add(in.real(i));
    }
    return new NdValue.Real(NDArrays.concat(parts, axis(node, parts.head(), 0)));
  }

  private static NDArray flatten(NodeProto node, NDArray x) {
    int axis = axis(node, x, 1);
    long[] shape = x.getShape().getShape();
    long rows = Arrays.stream(shape, 0, axis).reduce(1, Math::multiplyExact);
    return x.reshape(rows, x.size() / rows);
  }

  private static NDArray reshape(NodeProto node, NdOperator.Inputs in) {
    NDArray x = in.real(0);
    long[] sizes = in.whole(1).clone();
    boolean copies = Nodes.integer(node, "allowzero", 0) == 0;
    for (int i = 0; i < sizes.length; i++) {
      sizes[i] = sizes[i] == 0 && copies ? x.getShape().get(i) : sizes[i];
    }
    return x.reshape(sizes);
  }

  private static NDArray transpose(NodeProto node, NDArray x) {
    int[] order = Nodes.ints(node, "perm");
    int dimensions = x.getShape().dimension();
    return x.transpose(
        order.length > 0
            ? order
            : IntStream.range(0, dimensions).map(i -> dimensions - 1 - i).toArray());
  }

  /** The dimensions a node names, as an attribute or as its second input. */
  private static int[] axes(NodeProto node, NdOperator.Inputs in, int dimensions) {
    int[] named = in.has(1) ? in.ints(1) : Nodes.ints(node, "axes");
    return Arrays.stream(named).map(axis -> position(axis, dimensions)).sorted().toArray();
  }

  private static NdValue squeeze(NodeProto node, NdOperator.Inputs in) {
    if (in.get(0) instanceof NdValue.Whole whole) {
      return new NdValue.Whole(whole.numbers(), true);
    }
    NDArray x = in.real(0);
    int[] axes = axes(node, in, x.getShape().dimension());
    long[] shape = x.getShape().getShape();
    int[] dropped =
        axes.length > 0
            ? axes
            : IntStream.range(0, shape.length).filter(i -> shape[i] == 1).toArray();
    long[] kept =
        IntStream.range(0, shape.length)
            .filter(i -> Arrays.stream(dropped).noneMatch(d -> d == i))
            .mapToLong(i -> shape[i])
            .toArray();
    return new NdValue.Real(x.reshape(kept));
  }

  private static NdValue unsqueeze(NodeProto node, NdOperator.Inputs in) {
    if (in.get(0) instanceof NdValue.Whole whole) {
      return vector(whole.numbers());
    }
    NDArray x = in.real(0);
    int named = in.has(1) ? in.ints(1).length : Nodes.ints(node, "axes").length;
    int[] axes = axes(node, in, x.getShape().dimension() + named);
    List<Long> sizes = new ArrayList<>();
    for (long size : x.getShape().getShape()) {
      sizes.add(size);
    }
    for (int axis : axes) {
      sizes.add(axis, 1L);
    }
    return new NdValue.Real(x.reshape(sizes.stream().mapToLong(Long::longValue).toArray()));
  }

  private static NdValue slice(NdOperator.Inputs in) {
    long[] starts = in.whole(1);
    long[] ends = in.whole(2);
    long[] steps = in.has(4) ? in.whole(4) : ones(starts.length);
    int[] axes = in.has(3) ? in.ints(3) : IntStream.range(0, starts.length).toArray();
    if (in.get(0) instanceof NdValue.Whole whole) {
      int size = whole.numbers().length;
      List<Long> kept = new ArrayList<>();
      for (long i = bound(starts[0], steps[0], size);
          i < bound(ends[0], steps[0], size);
          i += steps[0]) {
        kept.add(whole.numbers()[(int) i]);
      }
      return vector(kept.stream().mapToLong(Long::longValue).toArray());
    }
    NDArray x = in.real(0);
    long[] shape = x.getShape().getShape();
    long[] from = new long[shape.length];
    long[] to = shape.clone();
    long[] by = ones(shape.length);
    for (int i = 0; i < starts.length; i++) {
      int axis = position(axes[i], shape.length);
      from[axis] = bound(starts[i], steps[i], shape[axis]);
      to[axis] = bound(ends[i], steps[i], shape[axis]);
      by[axis] = steps[i];
    }
    NDIndex index = new NDIndex();
    for (int axis = 0; axis < shape.length; axis++) {
      index.addSliceDim(from[axis], to[axis], by[axis]);
    }
    return new NdValue.Real(x.get(index));
  }

  private static long bound(long bound, long step, long size) {
    if (step < 1) {
      throw new NdOperator.UnsupportedInput("backwards");
    }
    return Math.max(0, Math.min(size, bound < 0 ? bound + size : bound));
  }

  private static long[] ones(int count) {
    long[] ones = new long[count];
    Arrays.fill(ones, 1);
    return ones;
  }

  private static List<NdValue> split(NodeProto node, NdOperator.Inputs in) {
    NDArray x = in.real(0);
    int axis = axis(node, x, 0);
    long size = x.getShape().get(axis);
    int parts = node.getOutputCount();
    long[] sizes = in.whole(1);
    if (sizes.length == 0) {
      long each = (size + parts - 1) / parts;
      sizes = new long[parts];
      Arrays.fill(sizes, each);
      sizes[parts - 1] = size - each * (parts - 1);
    }
    List<NdValue> outputs = new ArrayList<>();
    long from = 0;
    for (long part : sizes) {
      NDIndex index = new NDIndex();
      for (int i = 0; i < x.getShape().dimension(); i++) {
        if (i == axis) {
          index.addSliceDim(from, from + part);
        } else {
          index.addAllDim();
        }
      }
      outputs.add(new NdValue.Real(x.get(index)));
      from += part;
    }
    return outputs;
  }

  private static NDArray pad(NodeProto node, NdOperator.Inputs in) {
    String mode = Nodes.string(node, "mode", "constant");
    if (!mode.equals("constant")) {
      throw new NdOperator.UnsupportedInput("in mode " + mode);
    }
    NDArray x = in.real(0);
    int dimensions = x.getShape().dimension();
    long[] pads = in.whole(1);
    int[] axes = in.has(3) ? in.ints(3) : IntStream.range(0, dimensions).toArray();
    // The library wants the last dimension first: before, after.
    long[] widths = new long[2 * dimensions];
    for (int i = 0; i < axes.length; i++) {
      int place = 2 * (dimensions - 1 - position(axes[i], dimensions));
      widths[place] = pads[i];
      widths[place + 1] = pads[i + axes.length];
    }
    double value = in.has(2) ? in.number(2) : 0;
    return x.pad(new Shape(widths), value);
  }

  private static NDArray reduce(NodeProto node, NdOperator.Inputs in, boolean mean) {
    NDArray x = in.real(0);
    int[] axes = reducedAxes(node, in, x);
    if (axes.length == 0) {
      return x;
    }
    NDArray sum = x.sum(axes, Nodes.integer(node, "keepdims", 1) != 0);
    long count =
        Arrays.stream(axes).mapToLong(axis -> x.getShape().get(axis)).reduce(1, (a, b) -> a * b);
    return mean ? Scalars.times(sum, 1f / count) : sum;
  }

  private static NDArray reduceMax(NodeProto node, NdOperator.Inputs in) {
    NDArray x = in.real(0);
    int[] axes = reducedAxes(node, in, x);
    boolean keep = Nodes.integer(node, "keepdims", 1) != 0;
    for (int i = axes.length - 1; i >= 0; i--) {
      x = x.max(new int[] {axes[i]}, keep);
    }
    return x;
  }

  /** All where a node names none, unless it says that none are meant. */
  private static int[] reducedAxes(NodeProto node, NdOperator.Inputs in, NDArray x) {
    int[] axes = axes(node, in, x.getShape().dimension());
    boolean noneAreAll = Nodes.integer(node, "noop_with_empty_axes", 0) == 0;
    return axes.length > 0 || !noneAreAll
        ? axes
        : IntStream.range(0, x.getShape().dimension()).toArray();
  }
}
