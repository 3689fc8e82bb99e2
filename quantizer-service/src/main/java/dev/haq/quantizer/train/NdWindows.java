package dev.haq.quantizer.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.pooling.Pool;
import ai.onnx.proto.OnnxMl.NodeProto;
import dev.haq.model.Window;
import dev.haq.quantizer.onnx.Nodes;
import java.util.Map;

/**
 * Operators that move a window over the image. The library pads both sides alike; other padding is
 * added before.
 */
final class NdWindows {
  private static final int[] AREA = {2, 3};

  private NdWindows() {}

  static void register(Map<String, NdOperator> operators) {
    operators.put("MaxPool", (node, in) -> NdGraph.one(maxPool(node, in.real(0))));
    operators.put("AveragePool", (node, in) -> NdGraph.one(averagePool(node, in.real(0))));
    operators.put("GlobalAveragePool", (node, in) -> NdGraph.one(globalAverage(in.real(0))));
    operators.put(
        "GlobalMaxPool",
        (node, in) -> NdGraph.one(in.real(0).max(new int[] {3}, true).max(new int[] {2}, true)));
  }

  /**
   * @param weights [outputs, inputs / groups, kernel height, kernel width]
   */
  static NDArray convolution(NDArray x, NDArray weights, NDArray bias, Window window, int groups) {
    Shape strides = new Shape(window.strideHeight(), window.strideWidth());
    Shape dilations = new Shape(window.dilationHeight(), window.dilationWidth());
    Padding padding =
        new Padding(window.padTop(), window.padLeft(), window.padBottom(), window.padRight());
    NDArray padded = padding.isEven() ? x : padding.around(x, 0);
    return Conv2d.conv2d(
            padded,
            weights,
            bias,
            strides,
            padding.isEven() ? padding.even() : Padding.NONE,
            dilations,
            groups)
        .singletonOrThrow();
  }

  /** Pixels added on each side. */
  private record Padding(long top, long left, long bottom, long right) {
    static final Shape NONE = new Shape(0, 0);

    static Padding of(NodeProto node, Shape input, int[] kernel, int[] strides) {
      String auto = Nodes.string(node, "auto_pad", "NOTSET");
      if (!auto.startsWith("SAME")) {
        int[] pads = Nodes.ints(node, "pads", 0, 0, 0, 0);
        return new Padding(pads[0], pads[1], pads[2], pads[3]);
      }
      long vertical = same(input.get(2), kernel[0], strides[0]);
      long horizontal = same(input.get(3), kernel[1], strides[1]);
      boolean upper = auto.equals("SAME_UPPER");
      long top = upper ? vertical / 2 : vertical - vertical / 2;
      long left = upper ? horizontal / 2 : horizontal - horizontal / 2;
      return new Padding(top, left, vertical - top, horizontal - left);
    }

    private static long same(long size, int kernel, int stride) {
      long outputs = (size + stride - 1) / stride;
      return Math.max(0, (outputs - 1) * stride + kernel - size);
    }

    boolean isEven() {
      return top == bottom && left == right;
    }

    boolean isNone() {
      return top == 0 && left == 0 && bottom == 0 && right == 0;
    }

    /** Whether the library's pooling takes it: at most half the kernel. */
    boolean fits(int[] kernel) {
      return isEven() && 2 * top <= kernel[0] && 2 * left <= kernel[1];
    }

    Shape even() {
      return new Shape(top, left);
    }

    NDArray around(NDArray x, double value) {
      return x.pad(new Shape(left, right, top, bottom), value);
    }
  }

  private static NDArray maxPool(NodeProto node, NDArray x) {
    int[] kernel = Nodes.ints(node, "kernel_shape");
    int[] strides = Nodes.ints(node, "strides", 1, 1);
    for (int dilation : Nodes.ints(node, "dilations", 1, 1)) {
      if (dilation != 1) {
        throw new NdOperator.UnsupportedInput("with dilations");
      }
    }
    Padding padding = Padding.of(node, x.getShape(), kernel, strides);
    boolean fits = padding.fits(kernel);
    return Pool.maxPool2d(
        fits ? x : padding.around(x, Float.NEGATIVE_INFINITY),
        shape(kernel),
        shape(strides),
        fits ? padding.even() : Padding.NONE,
        Nodes.integer(node, "ceil_mode", 0) != 0);
  }

  private static NDArray averagePool(NodeProto node, NDArray x) {
    int[] kernel = Nodes.ints(node, "kernel_shape");
    int[] strides = Nodes.ints(node, "strides", 1, 1);
    for (int dilation : Nodes.ints(node, "dilations", 1, 1)) {
      if (dilation != 1) {
        throw new NdOperator.UnsupportedInput("with dilations");
      }
    }
    Padding padding = Padding.of(node, x.getShape(), kernel, strides);
    boolean countPadding = Nodes.integer(node, "count_include_pad", 0) != 0;
    boolean ceil = Nodes.integer(node, "ceil_mode", 0) != 0;
    // The library's pooling counts padded pixels whatever it is told.
    if (padding.isNone() || (countPadding && padding.fits(kernel))) {
      return Pool.avgPool2d(x, shape(kernel), shape(strides), padding.even(), ceil, true);
    }
    NDArray sums =
        Pool.avgPool2d(
            padding.around(x, 0), shape(kernel), shape(strides), Padding.NONE, ceil, true);
    if (countPadding) {
      return sums;
    }
    NDArray pixels = x.getManager().ones(new Shape(1, 1, x.getShape().get(2), x.getShape().get(3)));
    NDArray shares =
        Pool.avgPool2d(
            padding.around(pixels, 0), shape(kernel), shape(strides), Padding.NONE, ceil, true);
    return sums.div(shares);
  }

  private static NDArray globalAverage(NDArray x) {
    long area = x.getShape().get(2) * x.getShape().get(3);
    return Scalars.times(x.sum(AREA, true), 1f / area);
  }

  private static Shape shape(int[] sizes) {
    return new Shape(sizes[0], sizes[1]);
  }
}
