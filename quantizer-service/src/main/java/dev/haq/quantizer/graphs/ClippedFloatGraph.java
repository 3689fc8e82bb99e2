package dev.haq.quantizer.graphs;

import ai.onnx.proto.OnnxMl.ModelProto;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.GraphNode.Quantizable;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Tensors;
import dev.haq.quantizer.quant.GridWeights;
import dev.haq.quantizer.quant.LinearQuantizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The network in floating point, made for tools that keep quantization in a file beside the model:
 * weights already lie on their grids, and each quantized layer reads a Clip of its own.
 *
 * <p>Such tools quantize a tensor once, for all its readers. The Clip gives each layer a tensor of
 * its own, so that layers of different widths can read the same one and additions of residuals are
 * left alone; and it holds the range of widths for which a tool has no type.
 */
public final class ClippedFloatGraph {
  private ClippedFloatGraph() {}

  /**
   * A quantized tensor of the written model.
   *
   * @param name in the model
   * @param layer that reads it
   * @param scales one, or one for each index along {@code axis}
   * @param axis of a weight tensor that has the outputs; empty where there is one scale
   * @param lowest the smallest code
   * @param highest the largest code
   * @param bits that tell the codes apart, 2..8
   * @param weights whether it holds weights
   */
  public record Encoding(
      String name,
      String layer,
      List<Float> scales,
      Optional<Integer> axis,
      int lowest,
      int highest,
      int bits,
      boolean weights) {
    /** Whether codes lie about zero. */
    public boolean symmetric() {
      return lowest == -highest;
    }
  }

  /** A model, and what is quantized in it. */
  public record Written(ModelProto model, List<Encoding> encodings) {}

  /**
   * @param forOnnxRuntime for its Python quantizer, which quantizes both operands of a layer or
   *     none: other layers get no encodings, and operators of their own round their activations.
   *     Biases are added after layers, see {@link CompactGraph}. In operator set 21, which its
   *     4-bit weights need
   */
  public static Written write(CnnGraph graph, List<PlainLayer> layers, boolean forOnnxRuntime) {
    GraphBuilder builder = new GraphBuilder(graph);
    NewerOpset newer = new NewerOpset(graph, builder);
    Set<String> taken = graph.tensors();
    List<Encoding> encodings = new ArrayList<>();
    builder.addAll(
        layers,
        (layer, plain) -> {
          boolean pair = plain.activations().isPresent() && plain.weights().isPresent();
          if (pair || !forOnnxRuntime) {
            write(builder, layer, plain, forOnnxRuntime, taken, encodings);
          } else {
            FakeQuantizedGraph.writeReal(
                builder, layer, layer.input(), (LayerForm.Real) plain.form(), layer.output());
          }
        },
        node -> builder.add(forOnnxRuntime ? newer.rewritten(node) : node));
    return new Written(builder.build(List.of(graph.output())), List.copyOf(encodings));
  }

  private static void write(
      GraphBuilder builder,
      Quantizable layer,
      PlainLayer plain,
      boolean biasAfter,
      Set<String> taken,
      List<Encoding> encodings) {
    String layerName = layer.layer().name();
    String input = layer.input();
    if (plain.activations().isPresent()) {
      LinearQuantizer quantizer = plain.activations().get();
      input = free(layerName + "/input", taken);
      String low = builder.scalar("low", quantizer.lowest() * quantizer.scale());
      String high = builder.scalar("high", quantizer.highest() * quantizer.scale());
      builder.add(Nodes.node("Clip", List.of(layer.input(), low, high), input));
      encodings.add(
          new Encoding(
              input,
              layerName,
              List.of(quantizer.scale()),
              Optional.empty(),
              quantizer.lowest(),
              quantizer.highest(),
              QonnxGraph.width(quantizer),
              false));
    }
    boolean matMul = builder.isMatMul(layer);
    String weights = free(layerName + "/weight", taken);
    String bias = free(layerName + "/bias", taken);
    int[] dims = layer.weightDims();
    builder.constant(Tensors.of(bias, plain.bias(), plain.bias().length));
    if (matMul) {
      float[] turned = Tensors.transposed(plain.weightValues(), dims[0], dims[1]);
      builder.constant(Tensors.of(weights, turned, dims[1], dims[0]));
      builder.operator(layer, input, weights, bias, layer.output());
    } else {
      builder.constant(Tensors.of(weights, plain.weightValues(), dims));
      if (biasAfter) {
        CompactGraph.biasAfter(builder, layer, input, weights, plain.bias());
      } else {
        builder.realLayer(layer, input, weights, bias, layer.output());
      }
    }
    plain.weights().ifPresent(w -> encodings.add(weights(weights, layerName, w, matMul ? 1 : 0)));
  }

  private static Encoding weights(String name, String layer, GridWeights weights, int axis) {
    List<Float> scales = new ArrayList<>();
    for (float scale : weights.scales()) {
      scales.add(scale);
    }
    int levels = LinearQuantizer.levels(weights.bits(), true);
    boolean one = weights.perTensor();
    return new Encoding(
        name,
        layer,
        one ? List.of(scales.get(0)) : List.copyOf(scales),
        one ? Optional.empty() : Optional.of(axis),
        -levels,
        levels,
        weights.bits().bits(),
        true);
  }

  private static String free(String name, Set<String> taken) {
    String unique = name;
    while (!taken.add(unique)) {
      unique += "_";
    }
    return unique;
  }
}
