package dev.haq.quantizer.onnx;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.haq.model.Layer;
import dev.haq.model.Window;
import dev.haq.quantizer.quant.WeightShape;
import java.util.List;

/** A step of a {@link CnnGraph}: a layer that can be quantized, or an operator left as it is. */
public sealed interface GraphNode {
  /** The tensors it reads, constants and left-out inputs (empty names) included. */
  List<String> inputs();

  /** The tensors it writes. */
  List<String> outputs();

  /** The window that a layer moves over its input; one pixel where it has none. */
  static Window window(Layer layer) {
    if (layer instanceof Layer.Conv2d conv) {
      return conv.window();
    }
    return layer instanceof Layer.DepthwiseConv2d conv ? conv.window() : Window.square(1, 1, 0);
  }

  /**
   * A quantizable layer with its constants, batch-norm and bias folded in.
   *
   * @param layer its name and geometry
   * @param input the tensor it reads as activations
   * @param output the tensor it writes, bias added, before any activation function
   * @param weights output-major: [outputs][inputs / groups][kernel height][kernel width] of a
   *     convolution, [outputs][inputs] of a fully connected layer
   * @param bias [outputs]; zeros where the layer has none
   */
  record Quantizable(Layer layer, String input, String output, float[] weights, float[] bias)
      implements GraphNode {
    /** How the weights lie. */
    public WeightShape weightShape() {
      int outputs = layer.outputs();
      int area = window(layer).kernelArea();
      boolean depthwise =
          layer instanceof Layer.DepthwiseConv2d && layer.inputs() == layer.outputs();
      return new WeightShape(outputs, weights.length / outputs / area, area, depthwise);
    }

    /** 1 where every output reads all inputs. */
    public int groups() {
      if (layer instanceof Layer.Conv2d conv) {
        return conv.groups();
      }
      return layer instanceof Layer.DepthwiseConv2d conv ? conv.inputs() : 1;
    }

    /** Dimensions of the weights. */
    public int[] weightDims() {
      if (layer instanceof Layer.Linear) {
        return new int[] {layer.outputs(), layer.inputs()};
      }
      Window w = window(layer);
      return new int[] {
        layer.outputs(), layer.inputs() / groups(), w.kernelHeight(), w.kernelWidth()
      };
    }

    @Override
    public List<String> inputs() {
      return List.of(input);
    }

    @Override
    public List<String> outputs() {
      return List.of(output);
    }
  }

  /** Any other operator. */
  record Other(NodeProto node) implements GraphNode {
    @Override
    public List<String> inputs() {
      return node.getInputList();
    }

    @Override
    public List<String> outputs() {
      return node.getOutputList();
    }
  }
}
