package dev.haq.quantizer.graphs;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import dev.haq.model.Layer;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.GraphNode.Quantizable;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Tensors;
import dev.haq.quantizer.quant.GridWeights;
import dev.haq.quantizer.quant.LinearQuantizer;
import java.util.List;

/**
 * A policy with weights stored as small as ONNX can: up to 4 bits as INT4, up to 8 as INT8, behind
 * DequantizeLinear. Activations pass through QuantizeLinear, Clip and DequantizeLinear. Layers run
 * in floating point.
 *
 * <p>The bias is added after the layer. As an input of a layer between DequantizeLinear nodes ONNX
 * Runtime rounds it to the grid of activation scale times weight scale, which is coarse for few
 * bits.
 */
public final class CompactGraph {
  /** INT4 is a type since this operator set. */
  public static final long OPSET = 21;

  /** The widest weights that INT4 holds. */
  private static final int NARROW = 4;

  private CompactGraph() {}

  public static ModelProto write(CnnGraph graph, List<PlainLayer> layers) {
    GraphBuilder builder = new GraphBuilder(graph);
    NewerOpset newer = new NewerOpset(graph, builder);
    builder.addAll(
        layers,
        (layer, plain) -> write(builder, layer, plain),
        node -> builder.add(newer.rewritten(node)));
    return builder.build(List.of(graph.output()));
  }

  private static void write(GraphBuilder builder, Quantizable layer, PlainLayer plain) {
    String input = layer.input();
    if (plain.activations().isPresent()) {
      LinearQuantizer quantizer = plain.activations().get();
      // Without codes on the other side, the layer would have its weights quantized once more.
      input =
          plain.weights().isPresent()
              ? QdqGraph.quantizeDequantize(builder, input, quantizer)
              : FakeQuantizedGraph.fakeQuantized(builder, input, quantizer);
    }
    if (plain.weights().isEmpty()) {
      builder.floatLayer(layer, input, plain.weightValues(), plain.bias(), layer.output());
      return;
    }
    String weights = dequantized(builder, layer, plain.weights().get());
    biasAfter(builder, layer, input, weights, plain.bias());
  }

  /**
   * Adds a layer whose weights are a tensor as {@link GraphBuilder#isMatMul} says, and its bias
   * after it.
   */
  static void biasAfter(
      GraphBuilder builder, Quantizable layer, String input, String weights, float[] bias) {
    String sums = builder.fresh("sums");
    String name = layer.layer().name();
    if (layer.layer() instanceof Layer.Linear) {
      if (builder.isMatMul(layer)) {
        builder.add(Nodes.node("MatMul", List.of(input, weights), sums).setName(name));
      } else {
        builder.add(
            Nodes.node("Gemm", List.of(input, weights), sums)
                .setName(name)
                .addAttribute(Nodes.integer("transB", 1)));
      }
      builder.add(Nodes.node("Add", List.of(sums, builder.vector("bias", bias)), layer.output()));
      return;
    }
    NodeProto.Builder node = Nodes.node("Conv", List.of(input, weights), sums);
    builder.add(GraphBuilder.convolution(node, layer).setName(name));
    String shaped = builder.constant(Tensors.of(builder.fresh("bias"), bias, 1, bias.length, 1, 1));
    builder.add(Nodes.node("Add", List.of(sums, shaped), layer.output()));
  }

  private static String dequantized(GraphBuilder builder, Quantizable layer, GridWeights weights) {
    int outputs = layer.layer().outputs();
    boolean matMul = builder.isMatMul(layer);
    byte[] codes = matMul ? ByteCodes.rows(weights.codes(), outputs, 1) : weights.codes();
    int[] dims = builder.operandDims(layer);
    String name = builder.fresh("weight");
    String zeroName = builder.fresh("zero");
    boolean perTensor = weights.perTensor();
    int scales = perTensor ? 1 : outputs;
    int[] zeroDims = perTensor ? new int[0] : new int[] {scales};
    if (weights.bits().bits() <= NARROW) {
      builder.constant(Tensors.int4(name, codes, dims));
      builder.constant(Tensors.int4(zeroName, new byte[scales], zeroDims));
    } else {
      builder.constant(Tensors.int8(name, codes, dims));
      builder.constant(Tensors.int8(zeroName, new byte[scales], zeroDims));
    }
    String scale =
        perTensor
            ? builder.scalar("scale", weights.scales()[0])
            : builder.vector("scale", weights.scales());
    String output = builder.fresh("DequantizeLinear");
    NodeProto.Builder node = Nodes.node("DequantizeLinear", List.of(name, scale, zeroName), output);
    builder.add(perTensor ? node : node.addAttribute(Nodes.integer("axis", matMul ? 1 : 0)));
    return output;
  }
}
