package dev.haq.quantizer.graphs;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.GraphNode.Quantizable;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Tensors;
import dev.haq.quantizer.quant.GridWeights;
import dev.haq.quantizer.quant.LinearQuantizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A policy in QONNX (Pappalardo et al. 2022, arXiv:2206.07527): every quantized operand passes
 * through a {@code Quant} operator that says its scale, zero-point and width; layers and biases
 * stay in floating point.
 */
public final class QonnxGraph {
  public static final String DOMAIN = "qonnx.custom_op.general";

  private static final String QUANT = "Quant";

  private QonnxGraph() {}

  public static ModelProto write(CnnGraph graph, List<PlainLayer> layers) {
    GraphBuilder builder = new GraphBuilder(graph);
    return builder.network(layers, (layer, plain) -> write(builder, layer, plain));
  }

  private static void write(GraphBuilder builder, Quantizable layer, PlainLayer plain) {
    String input =
        plain
            .activations()
            .map(quantizer -> activations(builder, layer.input(), quantizer))
            .orElse(layer.input());
    int[] dims = layer.weightDims();
    String weights =
        builder.constant(Tensors.of(builder.fresh("weight"), plain.weightValues(), dims));
    if (plain.weights().isPresent()) {
      weights = weights(builder, weights, plain.weights().get(), dims);
    }
    builder.realLayer(layer, input, weights, builder.vector("bias", plain.bias()), layer.output());
  }

  private static String activations(GraphBuilder builder, String input, LinearQuantizer quantizer) {
    // Symmetric codes are signed and leave out the lowest; all others start at 0.
    boolean symmetric = quantizer.lowest() == -quantizer.highest();
    int zeroPoint = symmetric ? 0 : -quantizer.lowest();
    int bits = width(quantizer);
    return quant(
        builder,
        List.of(
            input,
            builder.scalar("scale", quantizer.scale()),
            builder.scalar("zero", zeroPoint),
            builder.scalar("bits", bits)),
        symmetric);
  }

  /** Bits that tell the quantizer's codes apart. */
  static int width(LinearQuantizer quantizer) {
    int codes = quantizer.highest() - quantizer.lowest() + 1;
    return Integer.SIZE - Integer.numberOfLeadingZeros(codes - 1);
  }

  private static String weights(
      GraphBuilder builder, String values, GridWeights weights, int[] dims) {
    String scale;
    if (weights.perTensor()) {
      scale = builder.scalar("scale", weights.scales()[0]);
    } else {
      int[] scaleDims = new int[dims.length];
      Arrays.fill(scaleDims, 1);
      scaleDims[0] = dims[0];
      scale = builder.constant(Tensors.of(builder.fresh("scale"), weights.scales(), scaleDims));
    }
    return quant(
        builder,
        List.of(
            values,
            scale,
            builder.scalar("zero", 0),
            builder.scalar("bits", weights.bits().bits())),
        true);
  }

  private static String quant(GraphBuilder builder, List<String> inputs, boolean symmetric) {
    String output = builder.fresh(QUANT);
    builder.add(
        Nodes.node(QUANT, inputs, output)
            .setDomain(DOMAIN)
            .addAttribute(Nodes.integer("signed", symmetric ? 1 : 0))
            .addAttribute(Nodes.integer("narrow", symmetric ? 1 : 0))
            .addAttribute(Nodes.string("rounding_mode", "ROUND")));
    return output;
  }

  /**
   * A QONNX model in standard operators, which ONNX Runtime can run: each {@code Quant} becomes
   * (clip(round(x / scale + zero), low, high) - zero) * scale with what the model itself says.
   */
  public static ModelProto inStandardOperators(ModelProto model) {
    Map<String, TensorProto> constants = new HashMap<>();
    model.getGraph().getInitializerList().forEach(t -> constants.put(t.getName(), t));
    ModelProto.Builder standard = model.toBuilder();
    List<NodeProto> nodes = new ArrayList<>();
    for (NodeProto node : model.getGraph().getNodeList()) {
      if (!node.getOpType().equals(QUANT) || !node.getDomain().equals(DOMAIN)) {
        nodes.add(node);
        continue;
      }
      double bits = Tensors.floats(constants.get(node.getInput(3)))[0];
      double steps = Math.pow(2, bits);
      boolean signed = Nodes.integer(node, "signed", 1) != 0;
      boolean narrow = Nodes.integer(node, "narrow", 0) != 0;
      double low = (signed ? -steps / 2 : 0) + (signed && narrow ? 1 : 0);
      double high = signed ? steps / 2 - 1 : steps - 1 - (narrow ? 1 : 0);
      String output = node.getOutput(0);
      standard
          .getGraphBuilder()
          .addInitializer(Tensors.of(output + "/low", new float[] {(float) low}))
          .addInitializer(Tensors.of(output + "/high", new float[] {(float) high}));
      String scale = node.getInput(1);
      String zero = node.getInput(2);
      nodes.add(step("Div", output + "/divided", node.getInput(0), scale));
      nodes.add(step("Add", output + "/shifted", output + "/divided", zero));
      nodes.add(step("Round", output + "/rounded", output + "/shifted"));
      nodes.add(
          step("Clip", output + "/code", output + "/rounded", output + "/low", output + "/high"));
      nodes.add(step("Sub", output + "/centred", output + "/code", zero));
      nodes.add(step("Mul", output, output + "/centred", scale));
    }
    standard.getGraphBuilder().clearNode().addAllNode(nodes);
    return standard.build();
  }

  private static NodeProto step(String type, String output, String... inputs) {
    return Nodes.node(type, List.of(inputs), output).build();
  }
}
