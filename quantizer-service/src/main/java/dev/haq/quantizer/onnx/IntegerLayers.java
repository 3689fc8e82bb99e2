package dev.haq.quantizer.onnx;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.haq.model.FeatureMap;
import dev.haq.model.Layer;
import dev.haq.model.Window;
import dev.haq.quantizer.onnx.GraphNode.Quantizable;
import dev.haq.quantizer.quant.IntegerLayer;
import dev.haq.quantizer.quant.LinearQuantizer;
import java.util.List;

/**
 * Writes single layers on bytes with channels last. To bytes: {@code com.microsoft.QLinearConv}. To
 * real numbers: {@code com.microsoft.MatMulIntegerToFloat}, on gathered patches where the kernel is
 * larger than a pixel; or a floating-point convolution of the codes where that is faster, or the
 * only way.
 */
final class IntegerLayers {
  /**
   * Gathering patches costs a copy for each pixel of the kernel; with fewer channels the
   * floating-point convolution is faster. Measured on ResNet-20 (AVX2), gathered against floating:
   * 16 channels 110 against 80 us, 32 channels 42 against 57, 64 channels 27 against 52.
   */
  private static final int FEWEST_CHANNELS_TO_GATHER = 32;

  /** The same where weights are unsigned, whose products take twice as long. */
  private static final int FEWEST_CHANNELS_TO_GATHER_UNSIGNED = 64;

  /**
   * An image's three channels are brought together byte by byte, which takes longer than the
   * floating-point convolution of its codes. Measured on MobileNetV1 (AVX2).
   */
  private static final int FEWEST_CHANNELS_TO_BYTES = 4;

  private final GraphBuilder builder;
  private final TensorForms forms;
  private final ByteCodes codes;

  IntegerLayers(GraphBuilder builder, TensorForms forms, ByteCodes codes) {
    this.builder = builder;
    this.forms = forms;
    this.codes = codes;
  }

  /**
   * Whether the layer should write bytes.
   *
   * @param quantizers how many ways its output is quantized
   */
  boolean writesBytes(Quantizable layer, int quantizers) {
    if (layer.layer() instanceof Layer.Linear) {
      return false;
    }
    if (GraphBuilder.groups(layer.layer()) > 1) {
      return true;
    }
    return quantizers == 1
        && (onePixel(layer.layer()) || layer.layer().inputs() >= FEWEST_CHANNELS_TO_BYTES);
  }

  /** Adds the layer with its output on a quantizer's grid, limited to its codes. */
  String toBytes(Quantizable layer, IntegerLayer integers, String source, LinearQuantizer output) {
    int outputs = layer.layer().outputs();
    List<String> weights =
        ByteCodes.weights(
            builder,
            integers.weights().codes(),
            codes.signedWeights(integers),
            outputs,
            GraphBuilder.weightDims(layer.layer()));
    LinearQuantizer activations = integers.activations();
    String input = forms.bytes(source, activations);
    String bytes = builder.fresh("QLinearConv");
    NodeProto.Builder node =
        Nodes.node(
            "QLinearConv",
            List.of(
                input,
                builder.scalar("scale", activations.scale()),
                builder.unsignedByte("zero", ByteCodes.zeroPoint(activations)),
                weights.get(0),
                builder.vector("scale", integers.weights().scales()),
                weights.get(1),
                builder.scalar("scale", output.scale()),
                builder.unsignedByte("zero", ByteCodes.zeroPoint(output)),
                builder.constant(Tensors.of(builder.fresh("bias"), integers.bias(), outputs))),
            bytes);
    builder.add(
        GraphBuilder.convolution(node, layer.layer())
            .setDomain(CnnGraph.MICROSOFT)
            .addAttribute(Nodes.integer("channels_last", 1)));
    return Activations.clipped(builder, bytes, output);
  }

  /** Adds the layer with its output in real numbers. */
  void toReal(Quantizable layer, IntegerLayer integers, String source) {
    LinearQuantizer activations = integers.activations();
    if (layer.layer() instanceof Layer.Linear) {
      forms.isReal(layer.output(), product(layer, integers, forms.bytes(source, activations)));
    } else if (onePixel(layer.layer())) {
      String strided =
          strided(forms.bytes(source, activations), GraphBuilder.window(layer.layer()));
      forms.isRealChannelsLast(layer.output(), product(layer, integers, strided));
    } else if (GraphBuilder.groups(layer.layer()) == 1
        && layer.layer().inputs() >= fewestChannelsToGather(integers)) {
      String patches =
          patches((Layer.Conv2d) layer.layer(), activations, forms.bytes(source, activations));
      forms.isRealChannelsLast(layer.output(), product(layer, integers, patches));
    } else {
      floatConvolution(layer, integers, forms.bytesAsIs(source, activations));
    }
  }

  private int fewestChannelsToGather(IntegerLayer integers) {
    return codes.signedWeights(integers)
        ? FEWEST_CHANNELS_TO_GATHER
        : FEWEST_CHANNELS_TO_GATHER_UNSIGNED;
  }

  private static boolean onePixel(Layer layer) {
    Window w = GraphBuilder.window(layer);
    return GraphBuilder.groups(layer) == 1
        && w.kernelArea() == 1
        && w.padTop() + w.padLeft() + w.padBottom() + w.padRight() == 0;
  }

  /** Every {@code stride}-th pixel. */
  private String strided(String input, Window window) {
    if (window.strideHeight() == 1 && window.strideWidth() == 1) {
      return input;
    }
    return builder.op(
        "Slice",
        List.of(
            input,
            builder.longs("starts", 0, 0),
            builder.longs("ends", Integer.MAX_VALUE, Integer.MAX_VALUE),
            builder.longs("axes", 1, 2),
            builder.longs("steps", window.strideHeight(), window.strideWidth())));
  }

  /** What every output pixel sees, one row each: [batch, height, width, kernel * channels]. */
  private String patches(Layer.Conv2d layer, LinearQuantizer activations, String input) {
    Window w = layer.window();
    int paddedHeight = layer.input().height() + w.padTop() + w.padBottom();
    int paddedWidth = layer.input().width() + w.padLeft() + w.padRight();
    String padded =
        builder.op(
            "Pad",
            List.of(
                input,
                builder.longs(
                    "pads", 0, w.padTop(), w.padLeft(), 0, 0, w.padBottom(), w.padRight(), 0),
                builder.unsignedByte("zero", ByteCodes.zeroPoint(activations))));
    String pixels =
        builder.op(
            "Reshape",
            List.of(
                padded,
                builder.longs("shape", 0, (long) paddedHeight * paddedWidth, layer.inputs())));
    FeatureMap out = layer.output();
    long[] indices = new long[(int) out.pixels() * w.kernelArea()];
    int next = 0;
    for (int y = 0; y < out.height(); y++) {
      for (int x = 0; x < out.width(); x++) {
        for (int i = 0; i < w.kernelHeight(); i++) {
          for (int j = 0; j < w.kernelWidth(); j++) {
            int row = y * w.strideHeight() + i * w.dilationHeight();
            int column = x * w.strideWidth() + j * w.dilationWidth();
            indices[next++] = (long) row * paddedWidth + column;
          }
        }
      }
    }
    String gathered = builder.fresh("Gather");
    builder.add(
        Nodes.node("Gather", List.of(pixels, builder.longs("indices", indices)), gathered)
            .addAttribute(Nodes.integer("axis", 1)));
    return builder.op(
        "Reshape",
        List.of(
            gathered,
            builder.longs(
                "shape", 0, out.height(), out.width(), (long) w.kernelArea() * layer.inputs())));
  }

  /**
   * Weight codes as a matrix that patches are multiplied with: from [outputs][channels][kernel] to
   * [kernel * channels][outputs].
   */
  private static byte[] weightRows(Quantizable layer, IntegerLayer integers) {
    byte[] from = integers.weights().codes();
    int outputs = layer.layer().outputs();
    int area = GraphBuilder.window(layer.layer()).kernelArea();
    int channels = from.length / outputs / area;
    byte[] rows = new byte[from.length];
    for (int o = 0; o < outputs; o++) {
      for (int c = 0; c < channels; c++) {
        for (int k = 0; k < area; k++) {
          rows[(k * channels + c) * outputs + o] = from[(o * channels + c) * area + k];
        }
      }
    }
    return rows;
  }

  private String product(Quantizable layer, IntegerLayer integers, String input) {
    byte[] weightRows = weightRows(layer, integers);
    int outputs = layer.layer().outputs();
    List<String> weights =
        ByteCodes.weights(
            builder,
            weightRows,
            codes.signedWeights(integers),
            outputs,
            weightRows.length / outputs,
            outputs);
    LinearQuantizer activations = integers.activations();
    String output = builder.fresh("MatMulIntegerToFloat");
    builder.add(
        Nodes.node(
                "MatMulIntegerToFloat",
                List.of(
                    input,
                    weights.get(0),
                    builder.scalar("scale", activations.scale()),
                    builder.vector("scale", integers.weights().scales()),
                    builder.unsignedByte("zero", ByteCodes.zeroPoint(activations)),
                    weights.get(1),
                    builder.vector("bias", integers.biasValues())),
                output)
            .setDomain(CnnGraph.MICROSOFT));
    return output;
  }

  private void floatConvolution(Quantizable layer, IntegerLayer integers, String input) {
    LinearQuantizer activations = integers.activations();
    String values =
        builder.op(
            "DequantizeLinear",
            List.of(
                input,
                builder.scalar("scale", activations.scale()),
                builder.unsignedByte("zero", ByteCodes.zeroPoint(activations))));
    builder.floatLayer(
        layer, values, integers.weights().values(), integers.biasValues(), layer.output());
    forms.isReal(layer.output(), layer.output());
  }
}
