package dev.haq.quantizer.eval;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.haq.model.Accuracy;
import dev.haq.quantizer.graphs.GraphWriter;
import dev.haq.quantizer.graphs.LayerForm;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.Ort;
import java.util.List;
import java.util.function.BooleanSupplier;

/** One policy of one network on some images, to be run as it is evaluated or in any other form. */
public final class PolicyRun {
  private final CnnGraph graph;
  private final List<LayerForm> layers;
  private final GraphWriter writer;
  private final Images images;
  private final SessionRunner runner;
  private final BooleanSupplier cancelled;

  PolicyRun(
      CnnGraph graph,
      List<LayerForm> layers,
      GraphWriter writer,
      Images images,
      SessionRunner runner,
      BooleanSupplier cancelled) {
    this.graph = graph;
    this.layers = List.copyOf(layers);
    this.writer = writer;
    this.images = images;
    this.runner = runner;
    this.cancelled = cancelled;
  }

  /**
   * What a form of the network says to the images.
   *
   * @param accuracy over all images
   * @param answers the class that each image is taken for
   * @param right whether that is its own
   */
  public record Answers(Accuracy accuracy, int[] answers, boolean[] right) {
    /** Images that are taken for another class than {@code other} takes them for. */
    public int differing(Answers other) {
      int differing = 0;
      for (int i = 0; i < answers.length; i++) {
        differing += answers[i] == other.answers[i] ? 0 : 1;
      }
      return differing;
    }

    /**
     * The standard error of the difference between both top-1, in percentage points: that of a sum
     * over the images that one gets right and the other wrong (McNemar 1947).
     */
    public double standardError(Answers other) {
      int discordant = 0;
      for (int i = 0; i < right.length; i++) {
        discordant += right[i] == other.right[i] ? 0 : 1;
      }
      return 100 * Math.sqrt(discordant) / right.length;
    }
  }

  /** The network as the recipe has it: weights may be scaled otherwise than in the model. */
  public CnnGraph graph() {
    return graph;
  }

  /** How each layer is computed, in the network's order. */
  public List<LayerForm> layers() {
    return layers;
  }

  /** The same network on the same images with its layers computed otherwise. */
  public PolicyRun withLayers(List<LayerForm> others) {
    return new PolicyRun(graph, others, writer, images, runner, cancelled);
  }

  /** As an evaluation runs it, with whatever input suits it. */
  public Answers evaluated() {
    OpenedNetwork opened = OpenedNetwork.of(writer, graph, layers, images);
    return run(opened.session(), opened.images());
  }

  /**
   * Runs any model that has the network's input and output.
   *
   * @param model a serialized ONNX model
   */
  public Answers run(byte[] model, Ort.Rewriting rewriting) {
    return run(Ort.open(model, rewriting), images);
  }

  private Answers run(OrtSession opened, Images read) {
    try (OrtSession session = opened) {
      int[] answers = new int[images.size()];
      boolean[] right = new boolean[images.size()];
      Scorer scorer = new Scorer(graph.outputKind());
      int classes = graph.classes();
      SessionRunner.Outputs<Accuracy> scoring =
          (result, first, count) -> {
            float[] scores = SessionRunner.floats((OnnxTensor) result.get(0));
            Accuracy sum = null;
            for (int i = 0; i < count; i++) {
              answers[first + i] = best(scores, i * classes, classes);
              Accuracy one = scorer.score(scores, i * classes, classes, images.label(first + i));
              right[first + i] = one.top1Correct() == 1;
              sum = sum == null ? one : sum.plus(one);
            }
            return sum;
          };
      Accuracy accuracy =
          runner
              .run(
                  session,
                  graph,
                  read,
                  0,
                  images.size(),
                  SessionRunner.batchSize(graph),
                  scoring,
                  cancelled)
              .stream()
              .reduce(Accuracy::plus)
              .orElseThrow();
      return new Answers(accuracy, answers, right);
    } catch (OrtException e) {
      throw Ort.failed(e);
    }
  }

  private static int best(float[] scores, int from, int classes) {
    int best = 0;
    for (int c = 1; c < classes; c++) {
      best = scores[from + c] > scores[from + best] ? c : best;
    }
    return best;
  }
}
