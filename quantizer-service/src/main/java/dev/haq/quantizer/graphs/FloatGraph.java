package dev.haq.quantizer.graphs;

import ai.onnx.proto.OnnxMl.ModelProto;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.Ort;
import java.util.List;

/** The network as it is, in floating point. */
public final class FloatGraph {
  private FloatGraph() {}

  /**
   * @param outputs which tensors the model returns, such as {@link CnnGraph#output}
   */
  public static ModelProto write(CnnGraph graph, List<String> outputs) {
    GraphBuilder builder = new GraphBuilder(graph);
    builder.addAll(
        graph.layers(),
        (layer, same) ->
            builder.floatLayer(layer, layer.input(), layer.weights(), layer.bias(), layer.output()),
        builder::add);
    return builder.build(outputs);
  }

  /**
   * All that makes floating-point layers fast. With {@link Ort.Rewriting#ALL} a model that was
   * quantized before would have its weights, which are real numbers here, quantized once more.
   */
  public static Ort.Rewriting rewriting() {
    return Ort.Rewriting.FLOAT_LAYERS;
  }
}
