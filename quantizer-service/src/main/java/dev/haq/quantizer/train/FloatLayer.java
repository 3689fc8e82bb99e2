package dev.haq.quantizer.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.core.Linear;
import dev.haq.model.Layer;
import dev.haq.quantizer.onnx.GraphNode;
import dev.haq.quantizer.onnx.GraphNode.Quantizable;
import java.util.Arrays;

/** A quantizable layer in floating point, given its weights. */
final class FloatLayer {
  private FloatLayer() {}

  /** Dimensions of the layer's weights. */
  static Shape shape(Quantizable layer) {
    return new Shape(Arrays.stream(layer.weightDims()).asLongStream().toArray());
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
        input, weights, bias, GraphNode.window(layer.layer()), layer.groups());
  }
}
