package dev.haq.quantizer.graphs;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.haq.model.FeatureMap;
import dev.haq.model.Layer;
import dev.haq.model.Window;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.GraphNode;
import dev.haq.quantizer.onnx.GraphNode.Quantizable;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Tensors;
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
   * An image's three channels are brought together byte by byte, which takes longer than the
   * floating-point convolution of its codes. Measured on MobileNetV1 (AVX2).
   */
  private static final int FEWEST_CHANNELS_TO_BYTES = 4;

  private final GraphBuilder builder;
  private final TensorForms forms;
  private final ByteCodes codes;
  private final boolean fastGroups;
  private final Im2col im2col;

  IntegerLayers(GraphBuilder builder, TensorForms forms, Processor processor) {
    this.builder = builder;
    this.forms = forms;
    this.codes = ByteCodes.of(processor);
    this.fastGroups = processor == Processor.ADDS_EXACTLY_IN_512;
    this.im2col = new Im2col(builder, codes, fastGroups);
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
    if (layer.groups() > 1) {
      return true;
    }
    return quantizers == 1
        && (fastGroups || onePixel(layer) || layer.layer().inputs() >= FEWEST_CHANNELS_TO_BYTES);
  }

  /** Adds the layer with its output on a quantizer's grid, limited to its codes. */
  String toBytes(Quantizable layer, IntegerLayer integers, String source, LinearQuantizer output) {
    boolean depthwise = isDepthwise(layer.layer());
    boolean grouped = !depthwise && layer.groups() > 1;
    LinearQuantizer activations = integers.activations();
    String input = grouped ? forms.ownBytes(source, activations) : forms.bytes(source, activations);
    int storedOutputs = grouped ? layer.layer().outputs() : forms.storedChannels(layer.output());
    int inputsOfGroup = layer.groups() == 1 ? forms.storedChannels(source) : layer.weightDims()[1];
    PixelGroup group = convolutionGroup(layer.layer(), inputsOfGroup);
    Window w = GraphNode.window(layer.layer());
    int outputs = group.pixels() * storedOutputs;
    byte[] wide =
        group.weights(integers.weights().codes(), layer.layer(), inputsOfGroup, storedOutputs);
    List<String> weights =
        ByteCodes.weights(
            builder,
            group.overBlocks(wide, inputsOfGroup, w),
            codes.signedPaddedWeights(integers),
            outputs,
            outputs,
            group.block() * inputsOfGroup,
            w.kernelHeight(),
            group.columns(w) / group.block());
    String bytes = builder.fresh("QLinearConv");
    NodeProto.Builder node =
        Nodes.node(
            "QLinearConv",
            List.of(
                together(input, group, layer.layer(), inputsOfGroup),
                builder.scalar("scale", activations.scale()),
                builder.unsignedByte("zero", ByteCodes.zeroPoint(activations)),
                weights.get(0),
                builder.vector(
                    "scale", group.perOutput(integers.weights().scales(), storedOutputs, 1)),
                weights.get(1),
                builder.scalar("scale", output.scale()),
                builder.unsignedByte("zero", ByteCodes.zeroPoint(output)),
                builder.constant(
                    Tensors.of(
                        builder.fresh("bias"),
                        group.perOutput(integers.bias(), storedOutputs),
                        outputs))),
            bytes);
    builder.add(
        node.setDomain(CnnGraph.MICROSOFT)
            .addAttribute(Nodes.integer("channels_last", 1))
            .addAttribute(Nodes.integer("group", depthwise ? outputs : layer.groups()))
            .addAllAttribute(group.window(layer.layer())));
    String limited =
        Activations.clipped(builder, apart(bytes, group, layer.layer(), storedOutputs), output);
    return grouped ? forms.padded(limited, layer.output(), output) : limited;
  }

  private PixelGroup convolutionGroup(Layer layer, int channels) {
    return fastGroups && layer instanceof Layer.Conv2d conv && conv.groups() == 1
        ? PixelGroup.forConvolution(conv, channels)
        : PixelGroup.ONE;
  }

  /** The pixels of each block as one pixel: the same values, seen otherwise. */
  private String together(String input, PixelGroup group, Layer layer, int channels) {
    if (group.block() == 1) {
      return input;
    }
    FeatureMap in = ((Layer.Conv2d) layer).input();
    return builder.op(
        "Reshape",
        List.of(
            input,
            builder.longs(
                "shape",
                0,
                in.height(),
                in.width() / group.block(),
                (long) group.block() * channels)));
  }

  /** The pixels of each group as pixels of their own: the same values, seen otherwise. */
  private String apart(String grouped, PixelGroup group, Layer layer, int channels) {
    if (group.pixels() == 1) {
      return grouped;
    }
    FeatureMap out = ((Layer.Conv2d) layer).output();
    return builder.op(
        "Reshape",
        List.of(grouped, builder.longs("shape", 0, out.height(), out.width(), channels)));
  }

  /** Whether every channel is convolved by itself, for which there are fast kernels. */
  static boolean isDepthwise(Layer layer) {
    return layer instanceof Layer.DepthwiseConv2d && layer.inputs() == layer.outputs();
  }

  /** Adds the layer with its output in real numbers. */
  void toReal(Quantizable layer, IntegerLayer integers, String source) {
    LinearQuantizer activations = integers.activations();
    if (layer.layer() instanceof Layer.Linear) {
      forms.isReal(
          layer.output(),
          product(
              layer,
              integers,
              // Its inputs lie along the last dimension, whatever the rank.
              forms.bytesAsIs(source, activations),
              PixelGroup.ONE,
              layer.layer().inputs()));
    } else if (onePixel(layer)) {
      String strided = strided(forms.bytes(source, activations), GraphNode.window(layer.layer()));
      forms.isRealChannelsLast(
          layer.output(),
          product(layer, integers, strided, PixelGroup.ONE, forms.storedChannels(source)));
    } else if (layer.layer() instanceof Layer.Conv2d conv
        && im2col.suits(conv, integers, forms.storedChannels(source))) {
      int channels = forms.storedChannels(source);
      PixelGroup group = im2col.group(conv, channels);
      String patches =
          im2col.patches(conv, activations, forms.bytes(source, activations), channels, group);
      forms.isRealChannelsLast(
          layer.output(),
          apart(product(layer, integers, patches, group, channels), group, conv, conv.outputs()));
    } else {
      floatConvolution(layer, integers, forms.bytesAsIs(source, activations));
    }
  }

  private static boolean onePixel(Quantizable layer) {
    Window w = GraphNode.window(layer.layer());
    return layer.groups() == 1
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

  /**
   * Adds a product of matrices.
   *
   * @param channels of an input pixel as it is stored
   */
  private String product(
      Quantizable layer, IntegerLayer integers, String input, PixelGroup group, int channels) {
    int ofPixel = layer.layer().outputs();
    Window w = GraphNode.window(layer.layer());
    int outputs = group.pixels() * ofPixel;
    byte[] weightRows =
        ByteCodes.rows(
            group.weights(integers.weights().codes(), layer.layer(), channels, ofPixel),
            outputs,
            w.kernelHeight() * group.columns(w));
    List<String> weights =
        ByteCodes.weights(
            builder,
            weightRows,
            codes.signedPaddedWeights(integers),
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
                    builder.vector(
                        "scale", group.perOutput(integers.weights().scales(), ofPixel, 1)),
                    builder.unsignedByte("zero", ByteCodes.zeroPoint(activations)),
                    weights.get(1),
                    builder.vector("bias", group.perOutput(integers.biasValues(), ofPixel, 0))),
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
