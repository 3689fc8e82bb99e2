package dev.haq.quantizer.eval;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.haq.quantizer.graphs.GraphWriter;
import dev.haq.quantizer.graphs.LayerForm;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.Ort;
import java.util.List;

/**
 * A session.
 *
 * @param images as it takes them
 */
record OpenedNetwork(OrtSession session, Images images) implements AutoCloseable {
  /** Lets go of the written model, so that no copy of its weights is held while it runs. */
  static OpenedNetwork of(
      GraphWriter writer, CnnGraph graph, List<LayerForm> layers, Images images) {
    GraphWriter.Written written = writer.forEvaluation(graph, layers);
    Images taken =
        written.input().<Images>map(input -> new CodedImages(images, input)).orElse(images);
    return new OpenedNetwork(Ort.open(written.model(), written.rewriting()), taken);
  }

  @Override
  public void close() throws OrtException {
    session.close();
  }
}
