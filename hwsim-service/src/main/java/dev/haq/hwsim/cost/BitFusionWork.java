package dev.haq.hwsim.cost;

import dev.haq.model.Layer;
import dev.haq.model.Window;

/**
 * A layer as one dense convolution, repeated.
 *
 * @param kernelHeight weights
 * @param spanHeight input rows a kernel covers, dilation included
 * @param batch images, or input vectors
 * @param im2col the input is unfolded before it is fetched, as for the first convolution
 * @param repeats times this convolution is run, one a group
 * @param macs multiply-accumulate operations that the network asks for, of the whole batch
 * @param extrapolated the public simulator knows square windows without dilation only
 */
record BitFusionWork(
    int kernelHeight,
    int kernelWidth,
    long spanHeight,
    long spanWidth,
    int strideHeight,
    int strideWidth,
    int outputHeight,
    int outputWidth,
    int inputs,
    int outputs,
    long batch,
    boolean im2col,
    long repeats,
    long macs,
    boolean extrapolated) {

  static BitFusionWork of(Layer layer, boolean first, int batch, boolean denseDepthwise) {
    if (layer instanceof Layer.Conv2d conv) {
      int groups = conv.groups();
      return convolution(
          layer,
          conv.window(),
          conv.output().height(),
          conv.output().width(),
          new int[] {conv.inputs() / groups, conv.outputs() / groups, groups},
          batch,
          first);
    }
    if (layer instanceof Layer.DepthwiseConv2d conv) {
      int perInput = conv.outputs() / conv.inputs();
      return convolution(
          layer,
          conv.window(),
          conv.output().height(),
          conv.output().width(),
          denseDepthwise
              ? new int[] {conv.inputs(), conv.outputs(), 1}
              : new int[] {1, perInput, conv.inputs()},
          batch,
          first);
    }
    Layer.Linear linear = (Layer.Linear) layer;
    return new BitFusionWork(
        1,
        1,
        1,
        1,
        1,
        1,
        1,
        1,
        linear.inputs(),
        linear.outputs(),
        (long) linear.rows() * batch, // every vector is an image of one pixel
        false,
        1,
        linear.macs() * batch,
        linear.rows() > 1);
  }

  /**
   * @param shape input channels, output channels, repetitions
   */
  private static BitFusionWork convolution(
      Layer layer, Window window, int height, int width, int[] shape, int batch, boolean first) {
    long spanHeight = (long) window.dilationHeight() * (window.kernelHeight() - 1) + 1;
    long spanWidth = (long) window.dilationWidth() * (window.kernelWidth() - 1) + 1;
    boolean square =
        window.kernelHeight() == window.kernelWidth()
            && window.strideHeight() == window.strideWidth()
            && height == width;
    boolean dilated = spanHeight != window.kernelHeight() || spanWidth != window.kernelWidth();
    return new BitFusionWork(
        window.kernelHeight(),
        window.kernelWidth(),
        spanHeight,
        spanWidth,
        window.strideHeight(),
        window.strideWidth(),
        height,
        width,
        shape[0],
        shape[1],
        batch,
        first,
        shape[2],
        layer.macs() * batch,
        !square || dilated);
  }

  /**
   * Multiply-accumulate operations of this convolution, as if nothing in a kernel's span were
   * skipped: an upper bound of everything that is counted, without overflow.
   */
  double most() {
    return (double) Math.max(spanHeight, strideHeight)
        * Math.max(spanWidth, strideWidth)
        * inputs
        * outputs
        * outputHeight
        * outputWidth
        * batch
        * repeats;
  }

  long kernelArea() {
    return (long) kernelHeight * kernelWidth;
  }
}
