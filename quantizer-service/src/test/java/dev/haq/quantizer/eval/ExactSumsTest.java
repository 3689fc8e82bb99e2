package dev.haq.quantizer.eval;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import dev.haq.model.Recipe;
import dev.haq.quantizer.graphs.FakeQuantizedGraph;
import dev.haq.quantizer.graphs.GraphWriter;
import dev.haq.quantizer.graphs.IntegerGraph;
import dev.haq.quantizer.graphs.LayerForm;
import dev.haq.quantizer.graphs.Processor;
import dev.haq.quantizer.graphs.WholeSumsGraph;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.Ort;
import dev.haq.quantizer.quant.Numerics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * On a deep network under a policy of few bits the evaluation and the judge differ. Which of them
 * is off: both against sums of whole numbers, which are exact. Skipped where the network is not.
 */
final class ExactSumsTest {
  private static final Logger LOG = LoggerFactory.getLogger(ExactSumsTest.class);
  private static final int IMAGES = 8;

  /** Layers quantized at a time; stretches share a layer. */
  private static final int STRETCH = 5;

  /** What single roundings the other way make of the scores, as a share of their spread. */
  private static final double ROUNDINGS = 0.01;

  @TempDir Path folder;

  private SessionRunner runner;
  private CnnGraph graph;
  private Images judged;
  private PreparedNetwork network;

  @BeforeEach
  void readNetwork() throws IOException {
    assumeTrue(Files.exists(SharedNetworks.SHARED), "shared models and images are not here");
    SharedNetworks networks = SharedNetworks.mobileNet(folder, 2, IMAGES, 2 * IMAGES);
    graph = networks.model().graph();
    Images calibration = networks.folds().get(0).calibration();
    judged = networks.folds().get(0).judged();
    runner = new SessionRunner(2);
    network =
        PreparedNetwork.of(
            graph,
            Numerics.of(Recipe.HAQ),
            Calibration.of(graph, calibration, runner, () -> false),
            calibration,
            runner,
            () -> false);
  }

  @AfterEach
  void stopThreads() {
    if (runner != null) {
      runner.close();
    }
  }

  @Test
  void theEvaluationIsCloserToExactSumsThanTheJudgeIs() {
    for (int end : new int[] {4, 12, 24, graph.layers().size()}) {
      List<LayerForm> layers = network.layers(quantized(0, end), () -> false);
      float[] exact = scores(new WholeSumsGraph(), layers);
      double judgeOff = distance(exact, scores(new FakeQuantizedGraph(), layers));
      double evaluationOff = distance(exact, evaluated(layers));
      LOG.info(
          "first {} layers: judge off by {}, evaluation by {} of the scores' spread",
          end,
          judgeOff,
          evaluationOff);
      assertTrue(evaluationOff < 0.7 * judgeOff, evaluationOff + " " + judgeOff);
    }
  }

  /** Too short for a rounding that fell the other way to grow. */
  @Test
  void stretchesOfLayersComputeExactSums() {
    for (int start = 0; start < graph.layers().size(); start += STRETCH - 1) {
      List<LayerForm> layers = network.layers(quantized(start, start + STRETCH), () -> false);
      double off = distance(scores(new WholeSumsGraph(), layers), evaluated(layers));
      LOG.info("layers from {}: evaluation off by {} of the scores' spread", start, off);
      int from = start;
      assertTrue(off < ROUNDINGS, () -> "layers from " + from + ": " + off);
    }
  }

  /** 4 to 8 bits at random, the others in float. */
  private Policy quantized(int start, int end) {
    Random random = new Random(1);
    List<LayerBits> layers = new ArrayList<>();
    for (int k = 0; k < graph.layers().size(); k++) {
      LayerBits bits = LayerBits.of(random.nextInt(4, 9), random.nextInt(4, 9));
      layers.add(k >= start && k < end ? bits : LayerBits.unquantized());
    }
    return new Policy(layers);
  }

  private float[] evaluated(List<LayerForm> layers) {
    return scores(new IntegerGraph(Processor.detect()), layers);
  }

  private float[] scores(GraphWriter writer, List<LayerForm> layers) {
    byte[] model = writer.write(graph, layers).toByteArray();
    try (OrtSession session = Ort.open(model, writer.rewriting())) {
      List<float[]> batches =
          runner.run(
              session,
              graph,
              judged,
              0,
              judged.size(),
              2,
              (result, first, count) -> SessionRunner.floats((OnnxTensor) result.get(0)),
              () -> false);
      float[] all = new float[judged.size() * graph.classes()];
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

  /** Root mean square, as a share of the spread of {@code a}. */
  private static double distance(float[] a, float[] b) {
    double mean = 0;
    for (float value : a) {
      mean += value / a.length;
    }
    double spread = 0;
    double squares = 0;
    for (int i = 0; i < a.length; i++) {
      spread += (a[i] - mean) * (a[i] - mean);
      squares += (double) (a[i] - b[i]) * (a[i] - b[i]);
    }
    return Math.sqrt(squares / spread);
  }
}
