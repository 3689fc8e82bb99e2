package dev.haq.quantizer.eval;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.haq.model.BitWidth;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import dev.haq.model.Recipe;
import dev.haq.model.Recipe.Clip;
import dev.haq.model.Recipe.WeightScales;
import dev.haq.quantizer.graphs.EqualisedGraph;
import dev.haq.quantizer.graphs.FloatGraph;
import dev.haq.quantizer.graphs.GraphWriter;
import dev.haq.quantizer.graphs.IntegerGraph;
import dev.haq.quantizer.graphs.Processor;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.Ort;
import dev.haq.quantizer.quant.Numerics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What recipes make of real networks: {@code weights | resnet20 | mobilenetv1 | mobilenetv2}. Every
 * layer has the same bit-widths, the first and the last too, as {@code haq evaluate --bits}; with a
 * second argument {@code inner} these two are at 8; with {@code ptq} only that recipe is judged. A
 * third limits the photographs.
 */
public final class RecipeBench {
  private static final Logger LOG = LoggerFactory.getLogger(RecipeBench.class);
  private static final int CALIBRATION_IMAGES = 64;

  private final SharedNetworks networks;
  private final SessionRunner runner =
      new SessionRunner(Runtime.getRuntime().availableProcessors());
  private final GraphWriter writer = new IntegerGraph(Processor.detect());
  private final Map<String, Calibration> calibrations = new HashMap<>();
  private final Map<String, PreparedNetwork> prepared = new HashMap<>();
  private final List<float[]> floatScores = new ArrayList<>();

  RecipeBench(SharedNetworks networks) {
    this.networks = networks;
    for (SharedNetworks.Fold fold : networks.folds()) {
      CnnGraph graph = networks.model().graph();
      byte[] model = FloatGraph.write(graph, List.of(graph.output())).toByteArray();
      floatScores.add(scores(model, FloatGraph.rewriting(), graph, fold.judged()));
    }
  }

  public static void main(String[] args) throws IOException {
    int images = args.length > 2 ? Integer.parseInt(args[2]) : 500;
    Path store = Files.createTempDirectory("recipes");
    String which = args.length > 1 ? args[1] : "";
    switch (args[0]) {
      case "weights" -> weightsAlone(new RecipeBench(SharedNetworks.resNet20(store, 64, 1000)));
      case "resnet20" ->
          table(
              new RecipeBench(SharedNetworks.resNet20(store, CALIBRATION_IMAGES, 1000)),
              new int[][] {{4, 8}, {4, 4}, {3, 8}},
              which);
      case "mobilenetv1", "mobilenetv2" ->
          table(
              new RecipeBench(
                  SharedNetworks.mobileNet(
                      store,
                      args[0].endsWith("1") ? 1 : 2,
                      Math.min(CALIBRATION_IMAGES, images / 2),
                      images)),
              new int[][] {{8, 8}, {6, 8}, {6, 6}, {4, 8}},
              which);
      default -> throw new IllegalArgumentException(args[0]);
    }
    Runtime.getRuntime().halt(0);
  }

  /** Weights on a grid up to their largest magnitude, activations in floating point. */
  private static void weightsAlone(RecipeBench bench) {
    for (WeightScales scales : WeightScales.values()) {
      Recipe recipe = Recipe.HAQ.withWeightScales(scales).withClips(Clip.MIN_MAX, Clip.MIN_MAX);
      StringBuilder line = new StringBuilder(scales.toString());
      for (int bits : new int[] {8, 6, 5, 4, 3, 2}) {
        Result result =
            bench.judge(
                Numerics.of(recipe), new LayerBits(BitWidth.of(bits), BitWidth.FLOAT), false);
        line.append(String.format(Locale.ROOT, " | W%d %.1f", bits, result.top1()));
      }
      LOG.info("{}", line);
    }
  }

  private static void table(RecipeBench bench, int[][] widths, String which) {
    LOG.info("float {}", bench.floatTop1());
    for (WeightScales scales : WeightScales.values()) {
      Map<String, Recipe> rows = rows(scales);
      if (which.equals("ptq")) {
        rows.keySet().retainAll(List.of(which));
      }
      for (Map.Entry<String, Recipe> row : rows.entrySet()) {
        StringBuilder line = new StringBuilder(scales + " | " + row.getKey());
        for (int[] bits : widths) {
          Result result =
              bench.judge(
                  Numerics.of(row.getValue()),
                  LayerBits.of(bits[0], bits[1]),
                  which.equals("inner"));
          line.append(
              String.format(
                  Locale.ROOT,
                  " | W%dA%d %.1f (%.3f)",
                  bits[0],
                  bits[1],
                  result.top1(),
                  result.divergence()));
        }
        LOG.info("{}", line);
      }
    }
  }

  private static Map<String, Recipe> rows(WeightScales scales) {
    Recipe haq = Recipe.HAQ.withWeightScales(scales);
    Map<String, Recipe> rows = new LinkedHashMap<>();
    rows.put("min-max", haq.withClips(Clip.MIN_MAX, Clip.MIN_MAX));
    rows.put("KL", haq);
    rows.put("MSE", haq.withClips(Clip.SQUARED_ERROR, Clip.SQUARED_ERROR));
    rows.put("ptq", Recipe.named("ptq").withWeightScales(scales));
    return rows;
  }

  /**
   * @param top1 in percent
   * @param divergence mean of KL(float || quantized), in nats
   */
  record Result(double top1, double divergence) {}

  double floatTop1() {
    double correct = 0;
    int images = 0;
    for (int f = 0; f < networks.folds().size(); f++) {
      Images judged = networks.folds().get(f).judged();
      images += judged.size();
      correct += correct(floatScores.get(f), judged);
    }
    return 100 * correct / images;
  }

  Result judge(Numerics numerics, LayerBits bits, boolean inner) {
    int layers = networks.model().network().size();
    Policy policy = Policy.uniform(layers, bits);
    if (inner) {
      policy = policy.with(0, LayerBits.of(8, 8)).with(layers - 1, LayerBits.of(8, 8));
    }
    double correct = 0;
    double divergence = 0;
    int images = 0;
    for (int f = 0; f < networks.folds().size(); f++) {
      PreparedNetwork network = prepared(f, numerics);
      Images judged = networks.folds().get(f).judged();
      byte[] model =
          writer.write(network.graph(), network.layers(policy, () -> false)).toByteArray();
      float[] scores = scores(model, writer.rewriting(), network.graph(), judged);
      correct += correct(scores, judged);
      divergence += divergence(floatScores.get(f), scores, judged.size());
      images += judged.size();
    }
    return new Result(100 * correct / images, divergence / images);
  }

  private PreparedNetwork prepared(int f, Numerics numerics) {
    Images images = networks.folds().get(f).calibration();
    CnnGraph model = networks.model().graph();
    return prepared.computeIfAbsent(
        f + " " + numerics,
        key -> {
          CnnGraph graph = numerics.equalised() ? EqualisedGraph.of(model) : model;
          Calibration calibration =
              calibrations.computeIfAbsent(
                  f + " " + numerics.equalised(),
                  k -> Calibration.of(graph, images, runner, () -> false));
          long start = System.nanoTime();
          PreparedNetwork made =
              PreparedNetwork.of(graph, numerics, calibration, images, runner, () -> false);
          LOG.debug("prepared in {} ms", (System.nanoTime() - start) / 1_000_000);
          return made;
        });
  }

  private float[] scores(byte[] model, Ort.Rewriting rewriting, CnnGraph graph, Images images) {
    try (OrtSession session = Ort.open(model, rewriting)) {
      List<float[]> batches =
          runner.run(
              session,
              graph,
              images,
              0,
              images.size(),
              SessionRunner.batchSize(graph),
              (result, first, count) -> SessionRunner.floats((OnnxTensor) result.get(0)),
              () -> false);
      float[] all = new float[images.size() * graph.classes()];
      int next = 0;
      for (float[] batch : batches) {
        System.arraycopy(batch, 0, all, next, batch.length);
        next += batch.length;
      }
      return all;
    } catch (OrtException e) {
      throw Ort.failed(e);
    }
  }

  private int correct(float[] scores, Images images) {
    Scorer scorer = new Scorer(networks.model().graph().outputKind());
    int classes = networks.model().graph().classes();
    int correct = 0;
    for (int i = 0; i < images.size(); i++) {
      correct += scorer.score(scores, i * classes, classes, images.label(i)).top1Correct();
    }
    return correct;
  }

  private double divergence(float[] exact, float[] scores, int images) {
    int classes = networks.model().graph().classes();
    double sum = 0;
    for (int i = 0; i < images; i++) {
      double[] p = logProbabilities(exact, i * classes, classes);
      double[] q = logProbabilities(scores, i * classes, classes);
      for (int c = 0; c < classes; c++) {
        sum += Math.exp(p[c]) * (p[c] - q[c]);
      }
    }
    return sum;
  }

  private double[] logProbabilities(float[] scores, int offset, int classes) {
    boolean logits = networks.model().graph().outputKind() == CnnGraph.OutputKind.LOGITS;
    double[] logs = new double[classes];
    double sum = 0;
    for (int c = 0; c < classes; c++) {
      double score = scores[offset + c];
      logs[c] = logits ? score : Math.log(Math.max(score, Scorer.LEAST_PROBABILITY));
      sum += Math.exp(logs[c]);
    }
    for (int c = 0; c < classes; c++) {
      logs[c] -= Math.log(sum);
    }
    return logs;
  }
}
