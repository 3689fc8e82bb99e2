package dev.haq.quantizer.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.core.Linear;
import dev.haq.model.Layer;
import dev.haq.model.Window;
import dev.haq.quantizer.onnx.GraphNode.Quantizable;

/** A quantizable layer in floating point, given its weights. */
final class FloatLayer {
  private FloatLayer() {}

  /** Dimensions of the layer's weights. */
  static Shape shape(Quantizable layer) {
    int outputs = layer.layer().outputs();
    if (layer.layer() instanceof Layer.Linear linear) {
      return new Shape(outputs, linear.inputs());
    }
    Window window = window(layer.layer());
    return new Shape(
        outputs,
        layer.layer().inputs() / groups(layer.layer()),
        window.kernelHeight(),
        window.kernelWidth());
  }

  /**
   * @param input [batch, inputs, height, width] of a convolution, [batch, ..., inputs] of a fully
   *     connected layer
   * @param weights as {@link #shape} says
   * @param bias [outputs]
   */
  static NDArray apply(Quantizable layer, NDArray input, NDArray weights, NDArray bias) {
    if (layer.layer() instanceof Layer.Linear) {
      return Linear.linear(input, weights, bias).singletonOrThrow();
    }
    return NdWindows.convolution(
        input, weights, bias, window(layer.layer()), groups(layer.layer()));
  }

  private static Window window(Layer layer) {
    return layer instanceof Layer.Conv2d conv
        ? conv.window()
        : ((Layer.DepthwiseConv2d) layer).window();
  }

  private static int groups(Layer layer) {
    return layer instanceof Layer.Conv2d conv ? conv.groups() : layer.inputs();
  }
}
