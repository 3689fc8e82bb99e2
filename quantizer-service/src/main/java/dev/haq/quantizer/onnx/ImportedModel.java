package dev.haq.quantizer.onnx;

import dev.haq.model.Network;

/**
 * A model that was read, checked and run once.
 *
 * @param network what hardware targets and agents need to know of it
 * @param graph what quantized graphs are written from
 * @param sizeBytes of the file it was read from
 */
public record ImportedModel(Network network, CnnGraph graph, long sizeBytes) {
  /** {@code sha256:...} or {@code builtin:shapes}. */
  public String id() {
    return network.modelId();
  }
}
