package dev.haq.quantizer.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.haq.model.FineTuning;
import dev.haq.model.FineTuning.Schedule;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Gradient descent and its learning rate against steps taken by hand. */
final class SgdTest {
  private static final float EXACT = 1e-6f;

  private static FineTuning settings(
      double rate, double momentum, double weightDecay, Schedule schedule) {
    return new FineTuning(Optional.empty(), 1, rate, momentum, weightDecay, 1, schedule, false, 0);
  }

  @Test
  void threeStepsWithMomentumAndWeightDecayAreAsByHand() {
    try (NDManager manager = TrainingEngine.newManager(1)) {
      NDArray weights = manager.create(new float[] {1, -2});
      NDArray other = manager.create(new float[] {10});
      Sgd descent =
          new Sgd(List.of(weights, other), settings(1, 0.5, 0.1, Schedule.CONSTANT), manager);
      // v = 0.5 v + g + 0.1 w, w = w - r v; of the second weight g is 0, of the third decay's -0.1
      // w.
      descent.step(gradients(manager, 1, -1), 0.2);
      assertWeights(weights, 1.1f, -0.2f, 0.78f, -1.96f, descent);
      descent.step(gradients(manager, -2, -1), 0.2);
      assertWeights(weights, -1.372f, -0.296f, 1.0544f, -1.9008f, descent);
      descent.step(gradients(manager, 0.5f, -1), 0.1);
      assertWeights(weights, -0.08056f, -0.33808f, 1.062456f, -1.866992f, descent);
      assertArrayEquals(new float[] {10}, other.toFloatArray(), EXACT);
    }
  }

  @Test
  void withoutMomentumAndDecayAStepIsRateTimesGradient() {
    try (NDManager manager = TrainingEngine.newManager(1)) {
      NDArray weights = manager.create(new float[] {1, -2});
      Sgd descent = new Sgd(List.of(weights), settings(1, 0, 0, Schedule.CONSTANT), manager);
      for (int step = 0; step < 3; step++) {
        descent.step(List.of(manager.create(new float[] {3, -1})), 0.1);
      }
      assertArrayEquals(new float[] {0.1f, -1.7f}, weights.toFloatArray(), EXACT);
    }
  }

  @Test
  void theCosineBeginsAtTheRatePassesHalfOfItAndEndsNearZero() {
    FineTuning cosine = settings(0.4, 0, 0, Schedule.COSINE);
    assertEquals(0.4, Sgd.learningRate(cosine, 0, 10));
    assertEquals(0.2, Sgd.learningRate(cosine, 5, 10), 1e-12);
    // 0.2 (1 + cos(0.9 pi)), cos(0.9 pi) = -0.9510565162951535
    assertEquals(0.0097886967409693, Sgd.learningRate(cosine, 9, 10), 1e-12);
  }

  @Test
  void theConstantRateIsTheSameAtEveryStep() {
    FineTuning constant = settings(0.4, 0, 0, Schedule.CONSTANT);
    for (long step : new long[] {0, 5, 9}) {
      assertEquals(0.4, Sgd.learningRate(constant, step, 10));
    }
  }

  private static List<NDArray> gradients(NDManager manager, float first, float other) {
    return List.of(manager.create(new float[] {first, 0}), manager.create(new float[] {other}));
  }

  private static void assertWeights(
      NDArray weights, float v1, float v2, float w1, float w2, Sgd descent) {
    assertArrayEquals(
        new float[] {v1, v2}, descent.velocities().get(0).toFloatArray(), EXACT, "velocities");
    assertArrayEquals(new float[] {w1, w2}, weights.toFloatArray(), EXACT, "weights");
  }
}
