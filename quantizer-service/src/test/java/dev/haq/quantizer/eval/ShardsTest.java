package dev.haq.quantizer.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.Accuracy;
import dev.haq.model.DataSelection;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import dev.haq.model.Recipe;
import dev.haq.model.Shard;
import dev.haq.quantizer.graphs.IntegerGraph;
import dev.haq.quantizer.graphs.Processor;
import dev.haq.quantizer.importing.SmallModel;
import dev.haq.quantizer.onnx.ImportedModel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Parts of an evaluation against the whole of it. */
final class ShardsTest {
  private static final int IMAGES = 1234;
  private static final ImportedModel MODEL = model();
  private static final Optional<Policy> POLICY = Optional.of(Policy.uniform(3, LayerBits.of(3, 4)));

  private static ImportedModel model() {
    SmallModel model = new SmallModel(3, 16, 16);
    String narrow = model.relu(model.conv("image", 3, 8, 3, 2, 1));
    String features = model.relu(model.conv(narrow, 8, 16, 3, 2, 1));
    return model.imported(model.gemm(model.pooled(features), 16, 10));
  }

  private static Evaluator evaluator() {
    return TestEvaluators.of(
        (selection, shape, classes) ->
            new RandomImages(
                selection.split() == DataSelection.Split.CALIBRATION ? 8 : IMAGES,
                3 * 16 * 16,
                classes),
        new IntegerGraph(Processor.detect()),
        TestEvaluators.limits(2, 1, 100, 2, 2));
  }

  private static Evaluation evaluate(
      Evaluator evaluator, Optional<Policy> policy, Shard shard, boolean divergence) {
    return evaluator.evaluate(
        new EvaluationRequest(
            MODEL, DataSelection.all("noise"), policy, Recipe.HAQ, false, shard, divergence),
        () -> false);
  }

  private static Accuracy sum(List<Accuracy> parts) {
    return parts.stream().reduce(Accuracy::plus).orElseThrow();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 40})
  void partsAddUpToTheWholeToTheLastBitInAnyOrder(int count) {
    try (Evaluator whole = evaluator();
        Evaluator parted = evaluator()) {
      Accuracy expected = evaluate(whole, POLICY, Shard.WHOLE, true).accuracy();
      List<Accuracy> parts = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        parts.add(evaluate(parted, POLICY, new Shard(i, count), true).accuracy());
      }
      assertEquals(IMAGES, expected.images());
      assertEquals(expected, sum(parts));
      Collections.shuffle(parts, new Random(count));
      assertEquals(expected, sum(parts));
    }
  }

  @Test
  void theWholeIsAnsweredFromItsPartsAndAPartFromTheWhole() {
    try (Evaluator evaluator = evaluator()) {
      Accuracy first = evaluate(evaluator, POLICY, new Shard(0, 2), false).accuracy();
      Accuracy second = evaluate(evaluator, POLICY, new Shard(1, 2), false).accuracy();
      Evaluation whole = evaluate(evaluator, POLICY, Shard.WHOLE, false);
      assertTrue(whole.cached());
      assertEquals(first.plus(second), whole.accuracy());
      assertTrue(evaluate(evaluator, POLICY, new Shard(2, 5), false).cached());
    }
  }

  @Test
  void aPartOfWhichSomeIsKnownRunsTheRestAlone() {
    try (Evaluator evaluator = evaluator();
        Evaluator fresh = evaluator()) {
      evaluate(evaluator, POLICY, new Shard(1, 3), false);
      Evaluation whole = evaluate(evaluator, POLICY, Shard.WHOLE, false);
      assertFalse(whole.cached());
      assertEquals(evaluate(fresh, POLICY, Shard.WHOLE, false).accuracy(), whole.accuracy());
    }
  }

  @Test
  void theDivergenceIsToldWhereItIsAskedForAndNowhereElse() {
    try (Evaluator evaluator = evaluator()) {
      Accuracy plain = evaluate(evaluator, POLICY, Shard.WHOLE, false).accuracy();
      Accuracy compared = evaluate(evaluator, POLICY, Shard.WHOLE, true).accuracy();
      assertTrue(plain.klDivergenceSum().isEmpty());
      assertTrue(compared.klDivergenceSum().orElseThrow() > 0);
      assertEquals(plain, evaluate(evaluator, POLICY, Shard.WHOLE, false).accuracy());
      assertEquals(plain.crossEntropySum(), compared.crossEntropySum());
    }
  }

  @Test
  void theFloatModelDoesNotDivergeFromItself() {
    try (Evaluator evaluator = evaluator()) {
      assertEquals(
          0,
          evaluate(evaluator, Optional.empty(), Shard.WHOLE, true)
              .accuracy()
              .klDivergenceSum()
              .orElseThrow());
    }
  }
}
