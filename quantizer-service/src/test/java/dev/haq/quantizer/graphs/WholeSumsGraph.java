package dev.haq.quantizer.graphs;

import ai.onnx.proto.OnnxMl.ModelProto;
import dev.haq.model.Layer;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.GraphNode.Quantizable;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Ort;
import dev.haq.quantizer.onnx.Tensors;
import dev.haq.quantizer.quant.IntegerLayer;
import dev.haq.quantizer.quant.LinearQuantizer;
import java.util.List;

/**
 * The judge's graph with the scales taken out of its sums: layers convolve codes, whose sums are
 * whole numbers and, below 2^24, exact in single precision in whatever order they are added; scales
 * are multiplied in afterwards. What it differs from the judge by is the judge's own rounding.
 */
public final class WholeSumsGraph implements GraphWriter {
  @Override
  public ModelProto write(CnnGraph graph, List<LayerForm> layers) {
    GraphBuilder builder = new GraphBuilder(graph);
    return builder.network(
        layers,
        (layer, form) -> {
          if (form instanceof LayerForm.Whole whole) {
            write(builder, layer, whole.layer());
          } else {
            FakeQuantizedGraph.write(builder, layer, form);
          }
        });
  }

  private static void write(GraphBuilder builder, Quantizable layer, IntegerLayer integers) {
    LinearQuantizer activations = integers.activations();
    String clipped =
        builder.op(
            "Clip",
            List.of(
                layer.input(),
                builder.scalar("low", activations.low()),
                builder.scalar("high", activations.clip())));
    String steps =
        builder.op("Div", List.of(clipped, builder.scalar("scale", activations.scale())));
    String codes = builder.op("Round", List.of(steps));
    int outputs = layer.layer().outputs();
    float[] weights = new float[integers.weights().codes().length];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = integers.weights().codes()[i];
    }
    float[] bias = new float[outputs];
    float[] scales = new float[outputs];
    for (int o = 0; o < outputs; o++) {
      bias[o] = integers.bias()[o];
      scales[o] = activations.scale() * integers.weights().scales()[o];
    }
    String sums = builder.fresh("sums");
    builder.floatLayer(layer, codes, weights, new float[outputs], sums);
    int[] dims =
        layer.layer() instanceof Layer.Linear ? new int[] {outputs} : new int[] {outputs, 1, 1};
    String withBias =
        builder.op(
            "Add", List.of(sums, builder.constant(Tensors.of(builder.fresh("bias"), bias, dims))));
    builder.add(
        Nodes.node(
            "Mul",
            List.of(withBias, builder.constant(Tensors.of(builder.fresh("scale"), scales, dims))),
            layer.output()));
  }

  @Override
  public Ort.Rewriting rewriting() {
    return Ort.Rewriting.NONE;
  }
}
