package dev.haq.quantizer.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.DataSelection;
import dev.haq.model.HaqException;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import dev.haq.model.Recipe;
import dev.haq.model.Shard;
import dev.haq.quantizer.graphs.IntegerGraph;
import dev.haq.quantizer.graphs.Processor;
import dev.haq.quantizer.importing.SmallModel;
import dev.haq.quantizer.onnx.ImportedModel;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class EvaluatorTest {
  private static final int CLASSES = 6;
  private static final ImportedModel MODEL = model();
  private static final DataSelection DATA = DataSelection.all("noise");

  private static ImportedModel model() {
    SmallModel model = new SmallModel(3, 8, 8);
    String features = model.relu(model.conv("image", 3, 16, 3, 1, 1));
    return model.imported(model.gemm(model.pooled(features), 16, CLASSES));
  }

  private static Evaluator evaluator(int threads) {
    return TestEvaluators.of(
        (selection, shape, classes) ->
            new RandomImages(
                selection.split() == DataSelection.Split.CALIBRATION ? 8 : 101, 192, classes),
        new IntegerGraph(Processor.detect()),
        TestEvaluators.limits(threads, 1, 4, 2, 2));
  }

  private static EvaluationRequest request(Optional<Policy> policy, boolean compareSpeed) {
    return new EvaluationRequest(MODEL, DATA, policy, Recipe.HAQ, compareSpeed);
  }

  private static Optional<Policy> uniform(int bits) {
    return Optional.of(Policy.uniform(2, LayerBits.of(bits, bits)));
  }

  @Test
  void theAnswerDoesNotDependOnTheNumberOfThreads() {
    try (Evaluator one = evaluator(1);
        Evaluator three = evaluator(3)) {
      assertEquals(
          one.evaluate(request(uniform(4), false), () -> false).accuracy(),
          three.evaluate(request(uniform(4), false), () -> false).accuracy());
    }
  }

  @Test
  void anEqualRequestIsAnsweredFromTheCache() {
    try (Evaluator evaluator = evaluator(2)) {
      Evaluation first = evaluator.evaluate(request(uniform(5), false), () -> false);
      Evaluation second = evaluator.evaluate(request(uniform(5), false), () -> false);
      assertFalse(first.cached());
      assertTrue(first.seconds() > 0);
      assertTrue(second.cached());
      assertEquals(0, second.seconds());
      assertEquals(first.accuracy(), second.accuracy());
    }
  }

  @Test
  void theFloatModelRunsOnceAlsoWhereItsScoresAreMoreThanTheBound() {
    AtomicInteger reads = new AtomicInteger();
    Images judged = new CountedImages(new RandomImages(101, 192, CLASSES), reads);
    try (Evaluator evaluator =
        TestEvaluators.of(
            (selection, shape, classes) ->
                selection.split() == DataSelection.Split.CALIBRATION
                    ? new RandomImages(8, 192, classes)
                    : judged,
            new IntegerGraph(Processor.detect()),
            new EvaluationLimits(1, 1, 4, 2, 2, 101 * CLASSES * Float.BYTES - 1, 1 << 20))) {
      for (int bits = 4; bits < 7; bits++) {
        evaluator.evaluate(
            new EvaluationRequest(MODEL, DATA, uniform(bits), Recipe.HAQ, false, Shard.WHOLE, true),
            () -> false);
      }
    }
    assertEquals((1 + 3) * 101, reads.get());
  }

  private record CountedImages(Images images, AtomicInteger reads) implements Images {
    @Override
    public int size() {
      return images.size();
    }

    @Override
    public int label(int image) {
      return images.label(image);
    }

    @Override
    public void read(int image, float[] target, int offset) {
      reads.incrementAndGet();
      images.read(image, target, offset);
    }
  }

  @Test
  void anUnquantizedPolicyIsTheFloatModel() {
    try (Evaluator evaluator = evaluator(2)) {
      Evaluation baseline = evaluator.evaluate(request(Optional.empty(), false), () -> false);
      Evaluation unquantized =
          evaluator.evaluate(request(Optional.of(Policy.unquantized(2)), false), () -> false);
      assertTrue(unquantized.cached());
      assertEquals(baseline.accuracy(), unquantized.accuracy());
      assertEquals(101, baseline.accuracy().images());
    }
  }

  @Test
  void comparingSpeedTimesTheFloatModelAndChangesNoAnswer() {
    try (Evaluator evaluator = evaluator(2)) {
      Evaluation compared = evaluator.evaluate(request(uniform(6), true), () -> false);
      assertTrue(compared.floatSeconds().orElseThrow() > 0);
      assertFalse(compared.cached());
      assertEquals(
          compared.accuracy(),
          evaluator(2).evaluate(request(uniform(6), false), () -> false).accuracy());
    }
  }

  @Test
  void aNetworkThatOverflowsIsEvaluated() {
    SmallModel model = new SmallModel(3, 8, 8);
    String huge = model.conv("image", 3, 8, 3, 1, 1);
    for (int i = 0; i < 3; i++) {
      huge = model.node("Mul", model.conv(huge, 8, 8, 3, 1, 1), model.scalar(1e20f));
    }
    ImportedModel overflows = model.imported(model.gemm(model.pooled(huge), 8, CLASSES));
    Policy policy = Policy.uniform(overflows.network().size(), LayerBits.of(4, 4));
    try (Evaluator evaluator = evaluator(2)) {
      for (String recipe : List.of("haq", "ptq", "ptq@1", "kmeans")) {
        EvaluationRequest request =
            new EvaluationRequest(
                overflows, DATA, Optional.of(policy), Recipe.named(recipe), false);
        assertEquals(101, evaluator.evaluate(request, () -> false).accuracy().images(), recipe);
      }
    }
  }

  @Test
  void aCallerWhoLeavesStopsTheEvaluation() {
    try (Evaluator evaluator = evaluator(1)) {
      HaqException stopped =
          assertThrows(
              HaqException.class,
              () -> evaluator.evaluate(request(Optional.empty(), false), () -> true));
      assertEquals(Reason.CANCELLED, stopped.reason());
      assertFalse(evaluator.evaluate(request(Optional.empty(), false), () -> false).cached());
    }
  }

  @Test
  void widthsThatCannotBeEvaluatedAreRefusedWithTheLayersName() {
    Policy policy = Policy.uniform(2, LayerBits.of(8, 9));
    try (Evaluator evaluator = evaluator(1)) {
      HaqException refused =
          assertThrows(
              HaqException.class,
              () -> evaluator.evaluate(request(Optional.of(policy), false), () -> false));
      assertEquals(Reason.INVALID_BITS, refused.reason());
      assertTrue(refused.getMessage().contains(MODEL.network().layer(0).name()));
    }
  }

  @Test
  void aPolicyForAnotherNumberOfLayersIsRefused() {
    Policy policy = Policy.uniform(3, LayerBits.of(8, 8));
    try (Evaluator evaluator = evaluator(1)) {
      HaqException refused =
          assertThrows(
              HaqException.class,
              () -> evaluator.evaluate(request(Optional.of(policy), false), () -> false));
      assertEquals(Reason.POLICY_MISMATCH, refused.reason());
    }
  }
}
