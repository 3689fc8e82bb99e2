package dev.haq.quantizer.eval;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.haq.model.Accuracy;
import dev.haq.quantizer.graphs.FakeQuantizedGraph;
import dev.haq.quantizer.graphs.GraphParts;
import dev.haq.quantizer.graphs.LayerForm;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.GraphNode.Quantizable;
import dev.haq.quantizer.onnx.Ort;
import dev.haq.quantizer.sharing.SharedBytes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * Runs a network with one layer changed, layer after layer from the first to the last. All before
 * the layer is the float network, so it is run once and the activations that reach the layer are
 * held; a trial computes the layer alone, in its changed form, and the float network behind it, in
 * a session that all trials of the layer share.
 *
 * <p>The activations held are those at one place of the network, as many bytes as there are left
 * that all runs share. Where those before a layer are more, the runs of that layer begin at the
 * last place whose activations fit, or at the images. Not safe for use by several threads.
 */
final class SensitivityRun implements AutoCloseable {
  /** Changed layers are opened together up to so many bytes of weights. */
  private static final long TOGETHER_BYTES = 64 << 20;

  private final SessionRunner runner;
  private final BlockRunner blocks;
  private final CnnGraph graph;
  private final GraphParts parts;
  private final FloatScores exact;
  private final Scorer scorer;
  private final SharedBytes activationBytes;
  private final int batchSize;
  private final int batches;

  private int heldAt; // a cut; 0: nothing is held, runs begin at the images
  private long heldBytes; // granted
  private final List<Map<String, OnnxTensor>> held = new ArrayList<>(); // by batch

  /**
   * @param base how the layers of the unchanged network are computed
   * @param exact the float model's scores on all images
   * @param activationBytes of activations that all runs hold together
   */
  SensitivityRun(
      SessionRunner runner,
      BlockRunner blocks,
      List<LayerForm> base,
      FloatScores exact,
      SharedBytes activationBytes) {
    this.runner = runner;
    this.blocks = blocks;
    this.graph = blocks.graph();
    this.parts = new GraphParts(graph, base);
    this.exact = exact;
    this.scorer = new Scorer(graph.outputKind());
    this.activationBytes = activationBytes;
    this.batchSize = SessionRunner.batchSize(graph);
    this.batches = (blocks.images().size() + batchSize - 1) / batchSize;
    for (int b = 0; b < batches; b++) {
      held.add(new HashMap<>());
    }
  }

  /**
   * What became of a trial.
   *
   * @param signalToNoiseDb of the class scores; empty where they are as in float
   */
  record Outcome(Accuracy accuracy, OptionalDouble signalToNoiseDb) {}

  private record Part(Accuracy accuracy, double signal, double noise) {
    Part plus(Part other) {
      return new Part(accuracy.plus(other.accuracy), signal + other.signal, noise + other.noise);
    }

    Outcome outcome() {
      if (noise == 0) {
        return new Outcome(accuracy, OptionalDouble.empty());
      }
      double ratio = Double.isNaN(noise) ? 0 : signal / noise;
      return new Outcome(accuracy, OptionalDouble.of(10 * Math.log10(ratio)));
    }
  }

  /**
   * Tries one layer in several forms.
   *
   * @param layer its index; not before that of an earlier call, for speed
   * @param trials the form of every layer, a list a trial; of the other layers the base's own
   */
  List<Outcome> measure(int layer, List<List<LayerForm>> trials, BooleanSupplier cancelled)
      throws OrtException {
    int cut = parts.before(layer);
    if (parts.bytes(cut).isEmpty() || parts.bytes(cut + 1).isEmpty()) {
      return wholly(trials, cancelled);
    }
    hold(cut, cancelled);
    int weights = graph.layers().get(layer).weights().length;
    int together = (int) Math.max(1, TOGETHER_BYTES / Float.BYTES / weights);
    List<Outcome> outcomes = new ArrayList<>();
    for (int from = 0; from < trials.size(); from += together) {
      List<LayerForm> group =
          trials.subList(from, Math.min(trials.size(), from + together)).stream()
              .map(trial -> trial.get(layer))
              .toList();
      outcomes.addAll(apart(layer, group, cancelled));
    }
    return outcomes;
  }

  /** Moves what is held to the last cut up to {@code target} that there is room for. */
  private void hold(int target, BooleanSupplier cancelled) throws OrtException {
    int cut = target;
    while (cut > heldAt && !granted(cut)) {
      cut--;
    }
    if (cut <= heldAt) {
      return;
    }
    int to = cut;
    ModelProto model = parts.between(heldAt, to);
    try (OrtSession session = Ort.openForKeeping(model, Ort.Rewriting.FLOAT_LAYERS)) {
      parts.learnFrom(session);
      runner.inParallel(
          batches,
          () -> {
            InputBatch images = blocks.images().batch(graph, batchSize);
            return b -> {
              Map<String, OnnxTensor> before = held.get(b);
              if (heldAt == 0) {
                try (OnnxTensor input = image(images, b)) {
                  before.putAll(tensors(session.run(Map.of(graph.input(), input))));
                }
              } else {
                before.putAll(tensors(session.run(fed(session, before))));
              }
              before
                  .entrySet()
                  .removeIf(
                      entry -> {
                        boolean over = !parts.crossing(to).contains(entry.getKey());
                        if (over) {
                          entry.getValue().close();
                        }
                        return over;
                      });
              return true;
            };
          },
          cancelled);
    }
    heldAt = to;
    hold(bytes(to).orElseThrow());
  }

  /** Whether what crosses a cut can be held; then there is room for it, beside what is held now. */
  private boolean granted(int cut) {
    OptionalLong bytes = bytes(cut);
    // Images lie in a buffer that the next ones overwrite.
    return bytes.isPresent()
        && !parts.crossing(cut).contains(graph.input())
        && hold(Math.max(heldBytes, bytes.getAsLong()));
  }

  private OptionalLong bytes(int cut) {
    OptionalLong anImage = parts.bytes(cut);
    return anImage.isEmpty()
        ? anImage
        : OptionalLong.of(anImage.getAsLong() * blocks.images().size());
  }

  private boolean hold(long bytes) {
    if (!activationBytes.change(heldBytes, bytes)) {
      return false;
    }
    heldBytes = bytes;
    return true;
  }

  private List<Outcome> apart(int layer, List<LayerForm> forms, BooleanSupplier cancelled)
      throws OrtException {
    int cut = parts.before(layer);
    Quantizable changed = graph.layers().get(layer);
    List<OrtSession> opened = new ArrayList<>();
    try {
      Optional<OrtSession> before = part(heldAt, cut, opened);
      List<OrtSession> alone = new ArrayList<>();
      for (LayerForm form : forms) {
        alone.add(open(parts.alone(layer, form), opened));
      }
      Optional<OrtSession> behind = part(cut + 1, parts.end(), opened);
      return outcomes(
          runner.inParallel(
              batches,
              () -> {
                InputBatch images = blocks.images().batch(graph, batchSize);
                return b -> {
                  List<OnnxTensor> made = new ArrayList<>();
                  try {
                    Map<String, OnnxTensor> reaching = reaching(before, images, b, made);
                    List<Part> found = new ArrayList<>();
                    for (OrtSession one : alone) {
                      found.add(score(b, scores(changed, one, behind, reaching)));
                    }
                    return found;
                  } finally {
                    made.forEach(OnnxTensor::close);
                  }
                };
              },
              cancelled));
    } finally {
      for (OrtSession session : opened) {
        session.close();
      }
    }
  }

  /** What reaches the layer in a batch. */
  private Map<String, OnnxTensor> reaching(
      Optional<OrtSession> before, InputBatch images, int batch, List<OnnxTensor> made)
      throws OrtException {
    Map<String, OnnxTensor> reaching = new HashMap<>(held.get(batch));
    if (heldAt == 0) {
      OnnxTensor input = image(images, batch);
      made.add(input);
      reaching.put(graph.input(), input);
    }
    if (before.isPresent()) {
      Map<String, OnnxTensor> computed = tensors(before.get().run(fed(before.get(), reaching)));
      made.addAll(computed.values());
      reaching.putAll(computed);
    }
    return reaching;
  }

  private static float[] scores(
      Quantizable changed,
      OrtSession alone,
      Optional<OrtSession> behind,
      Map<String, OnnxTensor> reaching)
      throws OrtException {
    try (OrtSession.Result computed = alone.run(fed(alone, reaching))) {
      OnnxTensor output = (OnnxTensor) computed.get(0);
      if (behind.isEmpty()) {
        return SessionRunner.floats(output);
      }
      Map<String, OnnxTensor> crossing = new HashMap<>(reaching);
      crossing.put(changed.output(), output);
      try (OrtSession.Result result = behind.get().run(fed(behind.get(), crossing))) {
        return SessionRunner.floats((OnnxTensor) result.get(0));
      }
    }
  }

  /** The plain way, where the size of what crosses a cut is not known: all of the network. */
  private List<Outcome> wholly(List<List<LayerForm>> trials, BooleanSupplier cancelled)
      throws OrtException {
    List<Outcome> outcomes = new ArrayList<>();
    for (List<LayerForm> trial : trials) {
      ModelProto model = new FakeQuantizedGraph().write(graph, trial);
      try (OrtSession session = Ort.open(model, Ort.Rewriting.FLOAT_LAYERS)) {
        outcomes.addAll(
            outcomes(
                runner.run(
                    session,
                    graph,
                    blocks.images(),
                    0,
                    blocks.images().size(),
                    batchSize,
                    (result, first, count) ->
                        List.of(
                            score(
                                first / batchSize,
                                SessionRunner.floats((OnnxTensor) result.get(0)))),
                    cancelled)));
      }
    }
    return outcomes;
  }

  /** Adds up the batches, in order. */
  private static List<Outcome> outcomes(List<List<Part>> parts) {
    List<Outcome> outcomes = new ArrayList<>();
    for (int trial = 0; trial < parts.get(0).size(); trial++) {
      int column = trial;
      outcomes.add(
          parts.stream().map(row -> row.get(column)).reduce(Part::plus).orElseThrow().outcome());
    }
    return outcomes;
  }

  private Part score(int batch, float[] scores) {
    int first = first(batch);
    int count = count(batch);
    int classes = graph.classes();
    double signal = 0;
    double noise = 0;
    for (int i = 0; i < count; i++) {
      float[] block = exact.blockOf(first + i);
      int offset = exact.offset(first + i);
      for (int c = 0; c < classes; c++) {
        double value = block[offset + c];
        double error = scores[i * classes + c] - value;
        signal += value * value;
        noise += error * error;
      }
    }
    return new Part(blocks.score(scorer, scores, first, count, Optional.of(exact)), signal, noise);
  }

  private int first(int batch) {
    return batch * batchSize;
  }

  private int count(int batch) {
    return Math.min(batchSize, blocks.images().size() - first(batch));
  }

  private OnnxTensor image(InputBatch images, int batch) throws OrtException {
    return images.tensor(first(batch), count(batch));
  }

  private Optional<OrtSession> part(int from, int to, List<OrtSession> opened) throws OrtException {
    ModelProto model = parts.between(from, to);
    return model.getGraph().getOutputCount() == 0
        ? Optional.empty()
        : Optional.of(open(model, opened));
  }

  private OrtSession open(ModelProto model, List<OrtSession> opened) throws OrtException {
    OrtSession session = Ort.open(model, Ort.Rewriting.FLOAT_LAYERS);
    opened.add(session);
    parts.learnFrom(session);
    return session;
  }

  /** Of the tensors at hand those that a session reads. */
  private static Map<String, OnnxTensor> fed(OrtSession session, Map<String, OnnxTensor> tensors) {
    Map<String, OnnxTensor> fed = new HashMap<>();
    Set<String> inputs = session.getInputNames();
    inputs.forEach(name -> fed.put(name, tensors.get(name)));
    return fed;
  }

  /** Outputs, each to be closed by itself. */
  private static Map<String, OnnxTensor> tensors(OrtSession.Result result) {
    Map<String, OnnxTensor> tensors = new HashMap<>();
    for (Map.Entry<String, OnnxValue> value : result) {
      tensors.put(value.getKey(), (OnnxTensor) value.getValue());
    }
    return tensors;
  }

  @Override
  public void close() {
    held.forEach(tensors -> tensors.values().forEach(OnnxTensor::close));
    held.clear();
    hold(0);
  }
}
