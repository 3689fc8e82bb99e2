package dev.haq.quantizer.eval;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.haq.model.DataSelection;
import dev.haq.quantizer.graphs.FloatGraph;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.ImportedModel;
import dev.haq.quantizer.onnx.Ort;
import dev.haq.quantizer.sharing.LruCache;
import java.util.List;
import java.util.function.BooleanSupplier;

/** Float models as they are: opened, and their class scores, kept up to a bound. */
final class FloatModels {
  private final LruCache<Key, FloatScores> scores;

  private record Key(String model, DataSelection data) {}

  /**
   * @param scoreBytes of class scores that are remembered; those of one model and data are even
   *     where they are more
   */
  FloatModels(long scoreBytes) {
    this.scores = new LruCache<>(scoreBytes, FloatScores::bytes);
  }

  /** Drops what is remembered of a model or a dataset. */
  void forget(String id) {
    scores.removeIf(key -> key.model().equals(id) || key.data().datasetId().equals(id));
  }

  static OrtSession open(CnnGraph graph) {
    return Ort.open(FloatGraph.write(graph, List.of(graph.output())), FloatGraph.rewriting());
  }

  /**
   * A model's scores, known on the wanted blocks at least.
   *
   * @param blocks of the selected images
   */
  FloatScores scores(
      ImportedModel model,
      DataSelection data,
      BlockRunner blocks,
      List<Integer> wanted,
      BooleanSupplier cancelled) {
    FloatScores known =
        scores.putIfAbsent(
            new Key(model.id(), data), new FloatScores(blocks.blocks(), model.graph().classes()));
    if (!wanted.stream().allMatch(known::knows)) {
      try (OrtSession session = open(model.graph())) {
        blocks.fill(known, session, wanted, cancelled);
      } catch (OrtException e) {
        throw Ort.failed(e);
      }
    }
    return known;
  }
}
