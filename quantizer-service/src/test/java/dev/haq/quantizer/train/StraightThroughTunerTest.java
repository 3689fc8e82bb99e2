package dev.haq.quantizer.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.BitWidth;
import dev.haq.model.FineTuning;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.model.Recipe;
import dev.haq.quantizer.eval.FineTuner;
import dev.haq.quantizer.eval.FineTuner.Progress;
import dev.haq.quantizer.eval.FineTuner.QuantizedLayer;
import dev.haq.quantizer.eval.FineTuner.Task;
import dev.haq.quantizer.eval.FineTuner.Weights;
import dev.haq.quantizer.eval.Images;
import dev.haq.quantizer.graphs.FloatGraph;
import dev.haq.quantizer.importing.ModelImporter;
import dev.haq.quantizer.importing.SmallModel;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.GraphNode;
import dev.haq.quantizer.onnx.ImportedModel;
import dev.haq.quantizer.quant.Codebook;
import dev.haq.quantizer.quant.LinearQuantizer;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Training on a task that takes a moment: which quarter of the image is bright. */
final class StraightThroughTunerTest {
  private static final int SIDE = 8;
  private static final int CLASSES = 4;
  private static final int IMAGES = 96;
  private static final FineTuner TUNER = new StraightThroughTuner(1);

  @TempDir private Path folder;

  private record Quarters() implements Images {
    @Override
    public int size() {
      return IMAGES;
    }

    @Override
    public int label(int image) {
      return image % CLASSES;
    }

    @Override
    public void read(int image, float[] target, int offset) {
      Random random = new Random(image);
      for (int i = 0; i < 3 * SIDE * SIDE; i++) {
        int y = i / SIDE % SIDE;
        int x = i % SIDE;
        boolean bright = 2 * y / SIDE * 2 + 2 * x / SIDE == label(image);
        target[offset + i] = (float) (random.nextGaussian() * 0.5 + (bright ? 1 : 0));
      }
    }
  }

  private static ImportedModel model() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String first = model.relu(model.conv("image", 3, 8, 3, 2, 1));
    String second = model.relu(model.node("Add", first, model.conv(first, 8, 8, 3, 1, 1)));
    String flat = model.node("Flatten", second);
    return model.imported(model.gemm(flat, 8 * 16, CLASSES));
  }

  private static FineTuning settings(int epochs, boolean learnClips) {
    return new FineTuning(
        Optional.empty(), epochs, 0.05, 0.9, 1e-4, 32, FineTuning.Schedule.COSINE, learnClips, 3);
  }

  private static float[] largestOverLevels(float[] weights, int outputs, int levels) {
    float[] scales = new float[outputs];
    for (int i = 0; i < weights.length; i++) {
      int o = i / (weights.length / outputs);
      scales[o] = Math.max(scales[o], Math.abs(weights[i]) / levels);
    }
    return scales;
  }

  private static Task task(FineTuning settings, Optional<Path> checkpoint) {
    CnnGraph graph = model().graph();
    BitWidth four = BitWidth.of(4);
    List<QuantizedLayer> layers = new ArrayList<>();
    graph
        .layers()
        .forEach(
            layer ->
                layers.add(
                    new QuantizedLayer(
                        Optional.of(
                            graph.nonNegative().contains(layer.input())
                                ? LinearQuantizer.unsigned(four, 3)
                                : LinearQuantizer.symmetric(four, 2)),
                        new Weights.Grid(
                            3, w -> largestOverLevels(w, layer.layer().outputs(), 3)))));
    return new Task(graph, layers, new Quarters(), settings, checkpoint);
  }

  private static float[] weights(FineTuner.Tuned tuned) {
    List<Float> all = new ArrayList<>();
    tuned
        .graph()
        .layers()
        .forEach(
            l -> {
              for (float w : l.weights()) {
                all.add(w);
              }
              for (float b : l.bias()) {
                all.add(b);
              }
            });
    float[] values = new float[all.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = all.get(i);
    }
    return values;
  }

  private static FineTuner.Tuned tune(Task task) {
    return TUNER.tune(task, step -> {}, () -> false);
  }

  @Test
  void aTinyNetworkLearnsItsTask() {
    for (boolean learnClips : new boolean[] {false, true}) {
      List<Progress> steps = new ArrayList<>();
      TUNER.tune(task(settings(12, learnClips), Optional.empty()), steps::add, () -> false);
      assertEquals(12 * 3, steps.size());
      double first = steps.get(0).loss();
      double last = steps.get(steps.size() - 1).loss();
      assertTrue(last < 0.2 * first, "loss from " + first + " to " + last);
      assertEquals(36, steps.get(35).step());
      assertEquals(0, steps.get(35).secondsLeft(), 1e-9);
    }
  }

  @Test
  void sharedWeightsLearnTooAndStayShared() {
    Task plain = task(settings(2, false), Optional.empty());
    List<QuantizedLayer> real =
        plain.layers().stream()
            .map(layer -> new QuantizedLayer(Optional.empty(), new Weights.Real()))
            .toList();
    CnnGraph trained =
        tune(new Task(plain.graph(), real, plain.images(), plain.settings(), Optional.empty()))
            .graph();
    List<QuantizedLayer> shared = new ArrayList<>();
    for (GraphNode.Quantizable layer : trained.layers()) {
      Codebook codebook =
          Codebook.of(layer.weights(), BitWidth.of(1), Recipe.CodebookStart.PLUS_PLUS);
      int[] assignment = new int[layer.weights().length];
      Arrays.setAll(assignment, i -> codebook.code(layer.weights()[i]));
      shared.add(
          new QuantizedLayer(
              Optional.empty(), new Weights.Shared(codebook.centroids(), assignment)));
    }
    FineTuning gentle =
        new FineTuning(
            Optional.empty(), 12, 1e-3, 0.9, 0, 32, FineTuning.Schedule.CONSTANT, false, 3);
    List<Progress> steps = new ArrayList<>();
    FineTuner.Tuned tuned =
        TUNER.tune(
            new Task(trained, shared, plain.images(), gentle, Optional.empty()),
            steps::add,
            () -> false);
    double first = steps.get(0).loss();
    double last = steps.get(steps.size() - 1).loss();
    assertTrue(last < 0.7 * first, "loss from " + first + " to " + last);
    for (GraphNode.Quantizable layer : tuned.graph().layers()) {
      float[] values = layer.weights().clone();
      Arrays.sort(values);
      long distinct = 1;
      for (int i = 1; i < values.length; i++) {
        distinct += values[i] != values[i - 1] ? 1 : 0;
      }
      assertTrue(distinct <= 2, distinct + " distinct weights");
    }
  }

  @Test
  void theSameTaskGivesTheSameNetwork() {
    assertArrayEquals(
        weights(tune(task(settings(2, true), Optional.empty()))),
        weights(tune(task(settings(2, true), Optional.empty()))));
  }

  @Test
  void theGarbageCollectorHasNoPartInTheOutcome() throws InterruptedException {
    for (boolean learnClips : new boolean[] {false, true}) {
      Task task = task(settings(3, learnClips), Optional.empty());
      float[] undisturbed = weights(tune(task));
      AtomicBoolean done = new AtomicBoolean();
      Thread collector = new Thread(() -> collectUntil(done));
      collector.start();
      try {
        assertArrayEquals(undisturbed, weights(tune(task)));
      } finally {
        done.set(true);
        collector.join();
      }
    }
  }

  /** Frees what nobody holds, and gives the memory other contents. */
  private static void collectUntil(AtomicBoolean done) {
    while (!done.get()) {
      System.gc();
      for (int i = 0; i < 100; i++) {
        ByteBuffer.allocateDirect(1 << 12).putLong(0, -1);
        ByteBuffer.allocateDirect(Float.BYTES).putFloat(0, Float.NaN);
      }
    }
  }

  @Test
  void anInterruptedTrainingGoesOnFromItsLastEpochAndEndsAsAnUndisturbedOne() {
    Path checkpoint = folder.resolve("training.checkpoint");
    Task task = task(settings(4, true), Optional.of(checkpoint));
    AtomicInteger steps = new AtomicInteger();
    HaqException left =
        assertThrows(
            HaqException.class,
            () -> TUNER.tune(task, step -> steps.incrementAndGet(), () -> steps.get() == 8));
    assertEquals(Reason.CANCELLED, left.reason());
    assertEquals(8, steps.get(), "it stops within a step");
    assertTrue(Files.exists(checkpoint));
    List<Progress> rest = new ArrayList<>();
    FineTuner.Tuned resumed = TUNER.tune(task, rest::add, () -> false);
    assertEquals(3, rest.get(0).epoch());
    assertArrayEquals(weights(tune(task(settings(4, true), Optional.empty()))), weights(resumed));
  }

  @Test
  void aDamagedCheckpointIsPassedOver() throws Exception {
    Path checkpoint = folder.resolve("damaged.checkpoint");
    Files.write(checkpoint, new byte[] {1, 2, 3});
    assertArrayEquals(
        weights(tune(task(settings(1, false), Optional.empty()))),
        weights(tune(task(settings(1, false), Optional.of(checkpoint)))));
    assertFalse(Files.exists(folder.resolve("checkpoint.part")));
  }

  @Test
  void aBatchInPartsGivesTheGradientsOfTheWhole() {
    FineTuning oneBatch =
        new FineTuning(
            Optional.empty(), 1, 0.05, 0, 0, IMAGES, FineTuning.Schedule.CONSTANT, false, 3);
    Task whole = task(oneBatch, Optional.empty());
    CnnGraph g = whole.graph();
    CnnGraph single =
        new CnnGraph(
            g.nodes(),
            g.constants(),
            g.operatorSets(),
            g.irVersion(),
            g.input(),
            g.channelsLastInput(),
            g.inputShape(),
            g.output(),
            g.outputKind(),
            g.classes(),
            true,
            g.shapes(),
            g.nonNegative());
    float[] together = weights(tune(whole));
    float[] oneByOne =
        weights(tune(new Task(single, whole.layers(), whole.images(), oneBatch, Optional.empty())));
    assertArrayEquals(together, oneByOne, 1e-4f);
  }

  @Test
  void theTunedNetworkIsWrittenWithTheSameLayers() {
    for (boolean learnClips : new boolean[] {false, true}) {
      FineTuner.Tuned tuned = tune(task(settings(1, learnClips), Optional.empty()));
      byte[] written =
          FloatGraph.write(tuned.graph(), List.of(tuned.graph().output())).toByteArray();
      ImportedModel read = ModelImporter.read(written, "sha256:tuned", "tuned");
      assertEquals(
          model().network().layers().stream().map(l -> l.name()).toList(),
          read.network().layers().stream().map(l -> l.name()).toList());
      for (int k = 0; k < read.network().size(); k++) {
        assertArrayEquals(
            tuned.graph().layers().get(k).weights(), read.graph().layers().get(k).weights());
      }
    }
  }

  @Test
  void aLearningRateThatDivergesIsNamed() {
    // To numbers that are none, and to finite ones no better than guessing.
    for (double rate : new double[] {1e38, 30}) {
      FineTuning wild =
          new FineTuning(
              Optional.empty(), 5, rate, 0.9, 0, 32, FineTuning.Schedule.CONSTANT, false, 3);
      HaqException refused =
          assertThrows(HaqException.class, () -> tune(task(wild, Optional.empty())));
      assertEquals(Reason.TRAINING_DIVERGES, refused.reason());
      assertTrue(refused.getMessage().contains(Double.toString(rate)), refused.getMessage());
    }
  }

  @Test
  void ofATrainingThatDivergesLaterTheBestEpochIsKept() {
    Path checkpoint = folder.resolve("late.checkpoint");
    Task good = task(settings(2, false), Optional.of(checkpoint));
    AtomicInteger steps = new AtomicInteger();
    assertThrows(
        HaqException.class,
        () -> TUNER.tune(good, step -> steps.incrementAndGet(), () -> steps.get() == 4));
    FineTuning wild =
        new FineTuning(
            Optional.empty(), 4, 1e38, 0.9, 0, 32, FineTuning.Schedule.CONSTANT, false, 3);
    float[] kept = weights(tune(task(wild, Optional.of(checkpoint))));
    for (float weight : kept) {
      assertTrue(Math.abs(weight) < 100, "weight " + weight);
    }
    float[] untrained = weights(new FineTuner.Tuned(model().graph(), 0, 0));
    assertFalse(Arrays.equals(untrained, kept), "the epoch before counts");
  }
}
