package dev.haq.quantizer.onnx;

import dev.haq.model.Network;
import java.util.List;

/**
 * A model that was read, checked and run once.
 *
 * @param network what hardware targets and agents need to know of it
 * @param graph what quantized graphs are written from
 * @param sizeBytes of the file it was read from
 * @param notes for people, a line each: what of the file is not as one might expect
 */
public record ImportedModel(Network network, CnnGraph graph, long sizeBytes, List<String> notes) {
  public ImportedModel {
    notes = List.copyOf(notes);
  }

  /** What is held of it: weights, biases, other constants, and operators with what is in them. */
  public long heldBytes() {
    long constants = graph.constants().values().stream().mapToLong(Tensors::bytes).sum();
    for (GraphNode node : graph.nodes()) {
      constants += node instanceof GraphNode.Other other ? other.node().getSerializedSize() : 0;
    }
    return graph.layers().stream()
        .mapToLong(layer -> (long) Float.BYTES * (layer.weights().length + layer.bias().length))
        .reduce(constants, Long::sum);
  }

  /** {@code sha256:...} or {@code builtin:shapes}. */
  public String id() {
    return network.modelId();
  }
}
