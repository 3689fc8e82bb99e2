package dev.haq.quantizer.onnx;

import ai.onnx.proto.OnnxMl.ModelProto;
import java.util.List;

/**
 * Writes the graph that computes a network under a policy. Implementations differ in the operators
 * they use, and so in speed; they agree in what they compute, but for the order of float sums.
 */
public interface GraphWriter {
  /**
   * @param graph the network
   * @param layers how each of its layers is computed, in the order of {@link CnnGraph#layers}
   * @return a model with the network's own input and output
   */
  ModelProto write(CnnGraph graph, List<LayerForm> layers);

  /** How far ONNX Runtime may rewrite the graph. */
  Ort.Rewriting rewriting();
}
