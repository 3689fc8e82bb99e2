package dev.haq.quantizer.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.Accuracy;
import dev.haq.model.BitChoices;
import dev.haq.model.BitWidth;
import dev.haq.model.DataSelection;
import dev.haq.model.HaqException;
import dev.haq.model.LayerBits;
import dev.haq.model.Operand;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import dev.haq.model.Recipe;
import dev.haq.model.Shard;
import dev.haq.quantizer.graphs.FakeQuantizedGraph;
import dev.haq.quantizer.importing.SmallModel;
import dev.haq.quantizer.onnx.ImportedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A residual network, so that more than one tensor crosses most cuts. */
final class SensitivityTest {
  private static final int CLASSES = 6;
  private static final int IMAGES = 101;
  private static final ImportedModel MODEL = residual(false);
  private static final DataSelection DATA = DataSelection.all("noise");
  private static final BitChoices BITS = new BitChoices(List.of(2, 4, 8));
  private static final int LAYERS = 5;
  private static final int ENTRIES = LAYERS * 2 * 3;
  private static final long AMPLE = 1 << 30;

  @TempDir private Path folder;

  /** Two residual blocks; the second one's shortcut is a layer itself. */
  private static ImportedModel residual(boolean probabilities) {
    SmallModel model = new SmallModel(3, 8, 8);
    String stem = model.relu(model.conv("image", 3, 8, 3, 1, 1));
    String first = model.relu(model.node("Add", model.conv(stem, 8, 8, 3, 1, 1), stem));
    String wide = model.conv(first, 8, 16, 3, 2, 1);
    String shortcut = model.conv(first, 8, 16, 1, 2, 1);
    String second = model.relu(model.node("Add", wide, shortcut));
    String scores = model.gemm(model.pooled(second), 16, CLASSES);
    return model.imported(probabilities ? model.node("Softmax", scores) : scores);
  }

  private static Evaluator evaluator(long activationBytes) {
    return TestEvaluators.of(
        (selection, shape, classes) ->
            new RandomImages(
                selection.split() == DataSelection.Split.CALIBRATION ? 8 : IMAGES, 192, classes),
        new FakeQuantizedGraph(),
        new EvaluationLimits(2, 1, 1000, 2, 2, AMPLE, activationBytes));
  }

  private Sensitivity sensitivity(Evaluator evaluator) {
    return new Sensitivity(evaluator, new SensitivityStore(folder));
  }

  private static Sensitivity.Request request(BitChoices bits) {
    return new Sensitivity.Request(MODEL, DATA, Recipe.HAQ, bits, bits);
  }

  /** What a listener was told. */
  private static class Told implements Sensitivity.Listener {
    private final List<LayerSensitivity> entries = new ArrayList<>();
    private final List<Double> secondsLeft = new ArrayList<>();
    private Accuracy baseline;
    private int announced;
    private int cached;

    @Override
    public void start(Accuracy accuracy, int count) {
      baseline = accuracy;
      announced = count;
    }

    @Override
    public void entry(LayerSensitivity entry, int done, double left, boolean known) {
      entries.add(entry);
      secondsLeft.add(left);
      assertEquals(entries.size(), done);
      cached += known ? 1 : 0;
    }
  }

  private static Told measure(Sensitivity sensitivity, BitChoices bits) {
    Told told = new Told();
    sensitivity.measure(request(bits), told, () -> false);
    return told;
  }

  private static Evaluation judged(Evaluator evaluator, ImportedModel model, Policy policy) {
    return evaluator.evaluate(
        new EvaluationRequest(
            model, DATA, Optional.of(policy), Recipe.HAQ, false, Shard.WHOLE, true),
        () -> false);
  }

  private static Policy only(LayerSensitivity entry) {
    int layer = 0;
    while (!MODEL.network().layer(layer).name().equals(entry.point().layer())) {
      layer++;
    }
    return Policy.unquantized(LAYERS)
        .with(
            layer,
            LayerBits.unquantized()
                .with(entry.point().operand(), BitWidth.of(entry.point().bits())));
  }

  private static void assertAgrees(Evaluation expected, LayerSensitivity entry) {
    Accuracy judge = expected.accuracy();
    Accuracy fast = entry.accuracy();
    assertEquals(judge.images(), fast.images());
    assertEquals(judge.top1Correct(), fast.top1Correct(), 1, entry.toString());
    assertEquals(judge.crossEntropySum(), fast.crossEntropySum(), 1e-3, entry.toString());
    double divergence = judge.klDivergenceSum().orElseThrow();
    assertEquals(
        divergence,
        fast.klDivergenceSum().orElseThrow(),
        1e-3 * divergence + 1e-5,
        entry.toString());
  }

  /** What the first layer's output takes, of all images, and not twice that. */
  private static final long ROOM_FOR_ONE = IMAGES * 8 * 8 * 8 * Float.BYTES * 3 / 2;

  @Test
  void measurementsAtTheSameTimeShareTheRoomForActivations() {
    Told alone;
    try (Evaluator evaluator = evaluator(AMPLE)) {
      alone = measure(sensitivity(evaluator), BITS);
    }
    try (Evaluator evaluator = evaluator(ROOM_FOR_ONE)) {
      Sensitivity sensitivity =
          new Sensitivity(evaluator, new SensitivityStore(folder.resolve("2")));
      Recipe other = Recipe.HAQ.withWeightScales(Recipe.WeightScales.PER_TENSOR);
      List<Long> held = new ArrayList<>();
      Told outer =
          new Told() {
            @Override
            public void entry(LayerSensitivity entry, int done, double left, boolean known) {
              super.entry(entry, done, left, known);
              held.add(evaluator.activationBytesHeld());
              if (done == ENTRIES / LAYERS + 1) { // the second layer's first
                sensitivity.measure(
                    new Sensitivity.Request(MODEL, DATA, other, BITS, BITS),
                    new Told() {
                      @Override
                      public void entry(LayerSensitivity e, int d, double l, boolean k) {
                        super.entry(e, d, l, k);
                        held.add(evaluator.activationBytesHeld());
                      }
                    },
                    () -> false);
              }
            }
          };
      sensitivity.measure(request(BITS), outer, () -> false);
      assertTrue(held.stream().anyMatch(bytes -> bytes > 0), held.toString());
      assertTrue(held.stream().allMatch(bytes -> bytes <= ROOM_FOR_ONE), held.toString());
      assertEquals(0, evaluator.activationBytesHeld());
      assertEquals(
          alone.entries.stream().map(e -> e.accuracy().top1Correct()).toList(),
          outer.entries.stream().map(e -> e.accuracy().top1Correct()).toList());
    }
  }

  @Test
  void oneMeasurementTooManyIsToldToComeBack() {
    try (Evaluator evaluator = evaluator(AMPLE)) {
      Sensitivity sensitivity = sensitivity(evaluator);
      AtomicInteger begun = new AtomicInteger();
      Told nested =
          new Told() {
            @Override
            public void start(Accuracy accuracy, int count) {
              begun.incrementAndGet();
              sensitivity.measure(request(BITS), this, () -> false);
            }
          };
      HaqException busy =
          assertThrows(
              HaqException.class, () -> sensitivity.measure(request(BITS), nested, () -> false));
      assertEquals(Reason.BUSY, busy.reason());
      assertEquals(8, begun.get());
    }
  }

  @Test
  void everyEntryIsWhatAnEvaluationOfThatOneOperandSays() {
    try (Evaluator evaluator = evaluator(AMPLE)) {
      Told told = measure(sensitivity(evaluator), BITS);
      assertEquals(ENTRIES, told.announced);
      assertEquals(ENTRIES, told.entries.size());
      told.entries.forEach(entry -> assertAgrees(judged(evaluator, MODEL, only(entry)), entry));
      assertEquals(
          evaluator
              .evaluate(
                  new EvaluationRequest(MODEL, DATA, Optional.empty(), Recipe.HAQ, false),
                  () -> false)
              .accuracy(),
          told.baseline);
    }
  }

  @Test
  void aNetworkThatAnswersInProbabilitiesIsComparedByThese() {
    ImportedModel model = residual(true);
    try (Evaluator evaluator = evaluator(AMPLE)) {
      Told told = new Told();
      sensitivity(evaluator)
          .measure(new Sensitivity.Request(model, DATA, Recipe.HAQ, BITS, BITS), told, () -> false);
      Told logits = measure(new Sensitivity(evaluator, new SensitivityStore(folder)), BITS);
      for (int i = 0; i < ENTRIES; i++) {
        double expected = logits.entries.get(i).accuracy().klDivergence().orElseThrow();
        double found = told.entries.get(i).accuracy().klDivergence().orElseThrow();
        assertEquals(expected, found, 1e-3 * expected + 1e-6);
      }
    }
  }

  @Test
  void fewerBitsLeaveMoreNoiseAndDivergeMore() {
    try (Evaluator evaluator = evaluator(AMPLE)) {
      List<LayerSensitivity> entries = measure(sensitivity(evaluator), BITS).entries;
      for (int i = 0; i < ENTRIES; i += 3) {
        for (int finer = i + 1; finer < i + 3; finer++) {
          LayerSensitivity coarse = entries.get(finer - 1);
          LayerSensitivity fine = entries.get(finer);
          assertEquals(coarse.point().operand(), fine.point().operand());
          assertTrue(coarse.signalToNoiseDb().orElseThrow() < fine.signalToNoiseDb().orElseThrow());
          assertTrue(
              coarse.accuracy().klDivergence().orElseThrow()
                  > fine.accuracy().klDivergence().orElseThrow());
        }
      }
    }
  }

  @Test
  void howManyActivationsAreHeldChangesNothing() {
    List<Told> all = new ArrayList<>();
    // Nothing; what crosses the last cuts; everything.
    for (long bytes : new long[] {1, IMAGES * 16 * 4 * 4 * 4L * 2, AMPLE}) {
      try (Evaluator evaluator = evaluator(bytes)) {
        Path own = folder.resolve(Long.toString(bytes));
        all.add(measure(new Sensitivity(evaluator, new SensitivityStore(own)), BITS));
      }
    }
    for (Told told : all) {
      for (int i = 0; i < ENTRIES; i++) {
        Accuracy expected = all.get(0).entries.get(i).accuracy();
        Accuracy found = told.entries.get(i).accuracy();
        assertEquals(expected.crossEntropySum(), found.crossEntropySum(), 1e-3);
        assertEquals(
            expected.klDivergenceSum().orElseThrow(), found.klDivergenceSum().orElseThrow(), 1e-3);
      }
    }
  }

  @Test
  void aSecondCallMeasuresNothingEvenAfterARestart() {
    Told first;
    try (Evaluator evaluator = evaluator(AMPLE)) {
      first = measure(sensitivity(evaluator), BITS);
    }
    try (Evaluator unused =
        TestEvaluators.of(
            (selection, shape, classes) -> {
              throw new AssertionError("no image is needed");
            },
            new FakeQuantizedGraph(),
            TestEvaluators.limits(1, 1, 1, 1, 1))) {
      Told second = measure(sensitivity(unused), BITS);
      assertEquals(ENTRIES, second.cached);
      assertEquals(first.entries, second.entries);
      assertEquals(first.baseline, second.baseline);
      assertTrue(second.secondsLeft.stream().allMatch(left -> left == 0));
    }
  }

  @Test
  void otherWidthsAreAddedToThoseThatAreKnown() {
    try (Evaluator evaluator = evaluator(AMPLE)) {
      measure(sensitivity(evaluator), new BitChoices(List.of(4)));
      Told told = measure(sensitivity(evaluator), BITS);
      assertEquals(LAYERS * 2, told.cached);
      assertEquals(ENTRIES, told.entries.size());
    }
  }

  @Test
  void whatWasMeasuredBeforeTheCallerLeftIsKept() {
    AtomicInteger heard = new AtomicInteger();
    Told cut =
        new Told() {
          @Override
          public void entry(LayerSensitivity entry, int done, double left, boolean known) {
            super.entry(entry, done, left, known);
            heard.incrementAndGet();
          }
        };
    try (Evaluator evaluator = evaluator(AMPLE)) {
      HaqException left =
          assertThrows(
              HaqException.class,
              () -> sensitivity(evaluator).measure(request(BITS), cut, () -> heard.get() >= 12));
      assertEquals(Reason.CANCELLED, left.reason());
      assertEquals(12, cut.entries.size());
      Told again = measure(sensitivity(evaluator), BITS);
      assertEquals(12, again.cached);
      assertEquals(cut.entries, again.entries.subList(0, 12));
      assertTrue(again.secondsLeft.get(0) > 0);
      assertEquals(0, again.secondsLeft.get(ENTRIES - 1));
    }
  }

  @Test
  void aDamagedFileIsMeasuredAgain() throws IOException {
    try (Evaluator evaluator = evaluator(AMPLE)) {
      Told first = measure(sensitivity(evaluator), BITS);
      Path file;
      try (Stream<Path> files = Files.list(folder)) {
        file = files.findFirst().orElseThrow();
      }
      byte[] whole = Files.readAllBytes(file);
      Files.write(file, java.util.Arrays.copyOf(whole, whole.length / 2));
      Told second = measure(sensitivity(evaluator), BITS);
      assertEquals(first.entries, second.entries);
      assertFalse(second.cached == ENTRIES);
    }
  }

  @Test
  void widthsThatCannotBeMeasuredAreRefused() {
    HaqException refused =
        assertThrows(HaqException.class, () -> request(new BitChoices(List.of(8, 9))));
    assertEquals(Reason.INVALID_BITS, refused.reason());
    assertEquals(Operand.values().length * 3 * LAYERS, ENTRIES);
  }
}
