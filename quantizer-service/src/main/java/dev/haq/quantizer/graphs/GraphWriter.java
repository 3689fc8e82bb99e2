package dev.haq.quantizer.graphs;

import ai.onnx.proto.OnnxMl.ModelProto;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.Ort;
import java.util.List;
import java.util.Optional;

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

  /**
   * A model as it is best evaluated.
   *
   * @param rewriting how far ONNX Runtime may rewrite it
   * @param input how it takes images; empty where it takes the network's own
   */
  record Written(ModelProto model, Ort.Rewriting rewriting, Optional<CodedInput> input) {}

  /** The graph with whatever input suits it. Other than {@link #write} it is of no use outside. */
  default Written forEvaluation(CnnGraph graph, List<LayerForm> layers) {
    return new Written(write(graph, layers), rewriting(), Optional.empty());
  }

  /** How far ONNX Runtime may rewrite the graph. */
  Ort.Rewriting rewriting();
}
