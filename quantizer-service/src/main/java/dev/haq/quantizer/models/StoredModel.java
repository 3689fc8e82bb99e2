package dev.haq.quantizer.models;

import dev.haq.model.Network;
import dev.haq.quantizer.onnx.ImportedModel;
import java.time.Instant;
import java.util.List;

/**
 * What is told about a model of the store; to know it, the model need not be read.
 *
 * @param network named as the model is
 * @param classes it tells apart
 * @param inputShape of one image: channels, height, width
 * @param sizeBytes of its file
 * @param created when it was imported; the epoch for the built-in
 * @param notes for people, what of it is not as one might expect
 */
public record StoredModel(
    Network network,
    int classes,
    List<Integer> inputShape,
    long sizeBytes,
    Instant created,
    List<String> notes) {
  public StoredModel {
    inputShape = List.copyOf(inputShape);
    notes = List.copyOf(notes);
  }

  static StoredModel of(ImportedModel model, Instant created) {
    return new StoredModel(
        model.network(),
        model.graph().classes(),
        model.graph().inputShape(),
        model.sizeBytes(),
        created,
        model.notes());
  }

  /** {@code sha256:...} or {@code builtin:shapes}. */
  public String id() {
    return network.modelId();
  }
}
