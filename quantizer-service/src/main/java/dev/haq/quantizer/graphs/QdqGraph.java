package dev.haq.quantizer.graphs;

import ai.onnx.proto.OnnxMl.ModelProto;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.GraphNode.Quantizable;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Ort;
import dev.haq.quantizer.onnx.Tensors;
import dev.haq.quantizer.quant.IntegerLayer;
import dev.haq.quantizer.quant.LinearQuantizer;
import java.util.List;

/**
 * A policy in public ONNX operators: QuantizeLinear, Clip on bytes for widths below 8,
 * DequantizeLinear, around unchanged layers with integer weights and biases (QCDQ). ONNX Runtime
 * fuses these into integer layers. What {@code ONNX_QCDQ} exports.
 */
public final class QdqGraph implements GraphWriter {
  private final ByteCodes codes;

  public QdqGraph(Processor processor) {
    this.codes = ByteCodes.of(processor);
  }

  @Override
  public ModelProto write(CnnGraph graph, List<LayerForm> layers) {
    GraphBuilder builder = new GraphBuilder(graph);
    return builder.network(
        layers,
        (layer, form) -> {
          if (form instanceof LayerForm.Whole whole) {
            write(builder, graph, layer, whole.layer());
          } else {
            FakeQuantizedGraph.writeReal(
                builder, layer, layer.input(), (LayerForm.Real) form, layer.output());
          }
        });
  }

  private void write(
      GraphBuilder builder, CnnGraph graph, Quantizable layer, IntegerLayer integers) {
    String source = Activations.beforeClamp(graph, layer.input(), integers.activations());
    String input = quantizeDequantize(builder, source, integers.activations());
    int outputs = layer.layer().outputs();
    // ONNX Runtime 1.26 aborts the process where it moves a Transpose past a DequantizeLinear with
    // one scale for each output, so weights lie as they are read.
    boolean matMul = builder.isMatMul(layer);
    byte[] own = integers.weights().codes();
    List<String> weights =
        ByteCodes.weights(
            builder,
            matMul ? ByteCodes.rows(own, outputs, 1) : own,
            codes.signedWeights(integers),
            outputs,
            builder.operandDims(layer));
    String scales = builder.vector("scale", integers.weights().scales());
    String bias = builder.constant(Tensors.of(builder.fresh("bias"), integers.bias(), outputs));
    // Zero is the default, but some readers expect three inputs.
    String zeros = builder.constant(Tensors.of(builder.fresh("zero"), new int[outputs], outputs));
    builder.operator(
        layer,
        input,
        perOutput(builder, weights.get(0), scales, weights.get(1), matMul ? 1 : 0),
        perOutput(builder, bias, biasScales(builder, integers), zeros, 0),
        layer.output());
  }

  private static String biasScales(GraphBuilder builder, IntegerLayer integers) {
    float[] scales = integers.weights().scales().clone();
    for (int o = 0; o < scales.length; o++) {
      scales[o] *= integers.activations().scale();
    }
    return builder.vector("scale", scales);
  }

  private static String perOutput(
      GraphBuilder builder, String tensor, String scales, String zeroPoints, int axis) {
    String output = builder.fresh("DequantizeLinear");
    builder.add(
        Nodes.node("DequantizeLinear", List.of(tensor, scales, zeroPoints), output)
            .addAttribute(Nodes.integer("axis", axis)));
    return output;
  }

  static String quantizeDequantize(GraphBuilder builder, String input, LinearQuantizer quantizer) {
    String scale = builder.scalar("scale", quantizer.scale());
    int zeroPoint = ByteCodes.zeroPoint(quantizer);
    String zero = builder.unsignedByte("zero", zeroPoint);
    String bytes = builder.op("QuantizeLinear", List.of(input, scale, zero));
    return builder.op(
        "DequantizeLinear", List.of(Activations.clipped(builder, bytes, quantizer), scale, zero));
  }

  @Override
  public Ort.Rewriting rewriting() {
    return Ort.Rewriting.ALL;
  }
}
