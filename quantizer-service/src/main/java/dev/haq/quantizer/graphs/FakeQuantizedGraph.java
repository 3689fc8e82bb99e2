package dev.haq.quantizer.graphs;

import ai.onnx.proto.OnnxMl.ModelProto;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.GraphNode.Quantizable;
import dev.haq.quantizer.onnx.Ort;
import dev.haq.quantizer.onnx.Tensors;
import dev.haq.quantizer.quant.LinearQuantizer;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * The plain reading of a policy, which judges the fast ones: every quantized layer reads
 * round(clip(x) / s) * s of its input and has weights that lie on their grid, all in floating point
 * and run as written.
 */
public final class FakeQuantizedGraph implements GraphWriter {
  @Override
  public ModelProto write(CnnGraph graph, List<LayerForm> layers) {
    GraphBuilder builder = new GraphBuilder(graph);
    return builder.network(layers, (layer, form) -> write(builder, layer, form));
  }

  /** Adds one layer. */
  static void write(GraphBuilder builder, Quantizable layer, LayerForm form) {
    if (form instanceof LayerForm.Whole whole) {
      builder.floatLayer(
          layer,
          fakeQuantized(builder, layer.input(), whole.layer().activations()),
          whole.layer().weights().values(),
          whole.layer().biasValues(),
          layer.output());
    } else {
      writeReal(builder, layer, layer.input(), (LayerForm.Real) form, layer.output());
    }
  }

  /** A layer of which at least one operand is in floating point. */
  static void writeReal(
      GraphBuilder builder, Quantizable layer, String input, LayerForm.Real real, String output) {
    Optional<String> quantized =
        real.activations().map(quantizer -> fakeQuantized(builder, input, quantizer));
    builder.floatLayer(layer, quantized.orElse(input), real.weights(), real.bias(), output);
  }

  /** round(clip(x, low, high) / s) * s. */
  static String fakeQuantized(GraphBuilder builder, String input, LinearQuantizer quantizer) {
    String low = builder.scalar("low", quantizer.low());
    String high = builder.scalar("high", quantizer.clip());
    String scale = builder.scalar("scale", quantizer.scale());
    String clipped = builder.op("Clip", List.of(input, low, high));
    String steps = builder.op("Div", List.of(clipped, scale));
    String rounded = builder.op("Round", List.of(steps));
    return builder.op("Mul", List.of(rounded, scale));
  }

  /**
   * The plain reading of layers as other tools describe them.
   *
   * @param biasAfter layers whose bias is added after them and not within
   */
  public static ModelProto plain(
      CnnGraph graph, List<PlainLayer> layers, Predicate<PlainLayer> biasAfter) {
    GraphBuilder builder = new GraphBuilder(graph);
    return builder.network(
        layers,
        (layer, plain) -> {
          if (!biasAfter.test(plain)) {
            write(builder, layer, plain.form());
            return;
          }
          String input =
              plain
                  .activations()
                  .map(quantizer -> fakeQuantized(builder, layer.input(), quantizer))
                  .orElse(layer.input());
          String weights =
              builder.constant(
                  Tensors.of(builder.fresh("weight"), plain.weightValues(), layer.weightDims()));
          CompactGraph.biasAfter(
              builder, layer, input, builder.turned(layer, weights), plain.bias());
        });
  }

  /**
   * The plain reading of layers by a tool that adds zero points before it rounds, as QONNX does:
   * what lies halfway between two codes, or nearly so, then falls otherwise.
   */
  public static ModelProto plainShifted(CnnGraph graph, List<PlainLayer> layers) {
    GraphBuilder builder = new GraphBuilder(graph);
    return builder.network(
        layers,
        (layer, plain) -> {
          String input =
              plain
                  .activations()
                  .map(quantizer -> shifted(builder, layer.input(), quantizer))
                  .orElse(layer.input());
          builder.floatLayer(layer, input, plain.weightValues(), plain.bias(), layer.output());
        });
  }

  /** (round(clip(x, low, high) / s + zero) - zero) * s, where there is a zero point. */
  private static String shifted(GraphBuilder builder, String input, LinearQuantizer quantizer) {
    if (quantizer.lowest() == 0 || quantizer.lowest() == -quantizer.highest()) {
      return fakeQuantized(builder, input, quantizer);
    }
    String low = builder.scalar("low", quantizer.low());
    String high = builder.scalar("high", quantizer.clip());
    String scale = builder.scalar("scale", quantizer.scale());
    String zero = builder.scalar("zero", -quantizer.lowest());
    String clipped = builder.op("Clip", List.of(input, low, high));
    String steps = builder.op("Div", List.of(clipped, scale));
    String rounded = builder.op("Round", List.of(builder.op("Add", List.of(steps, zero))));
    return builder.op("Mul", List.of(builder.op("Sub", List.of(rounded, zero)), scale));
  }

  @Override
  public Ort.Rewriting rewriting() {
    return Ort.Rewriting.NONE;
  }
}
