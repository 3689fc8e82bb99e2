package dev.haq.agent.ddpg;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.agent.search.SeededRandom;
import dev.haq.agent.search.SeededRandom.Purpose;
import dev.haq.model.HaqException;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TruncatedNormalTest {
  private static final int DRAWS = 40_000;
  private static final int CELLS = 10_000;

  @ParameterizedTest
  @CsvSource({"0.5, 0.5", "0, 0.5", "1, 0.2", "0.3, 0.05", "0.9, 1.5", "0.1, 10"})
  void drawsAreDistributedAsDefined(double mean, double sigma) {
    SeededRandom random = SeededRandom.of(1, Purpose.EXPLORATION, 1);
    double[] draws = new double[DRAWS];
    for (int i = 0; i < DRAWS; i++) {
      draws[i] = TruncatedNormal.sample(mean, sigma, random);
      assertTrue(draws[i] >= 0 && draws[i] <= 1);
    }
    Arrays.sort(draws);
    double[] cumulative = cumulative(mean, sigma);
    double worst = 0; // Kolmogorov-Smirnov
    for (int i = 0; i < DRAWS; i++) {
      double expected = cumulative[(int) Math.round(draws[i] * CELLS)];
      worst = Math.max(worst, Math.abs(expected - (i + 0.5) / DRAWS));
    }
    assertEquals(0, worst, 1.95 / Math.sqrt(DRAWS)); // exceeded once in a thousand seeds
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.5, 1.5})
  void theMeanOfADivergedActorIsRefused(double sigma) {
    SeededRandom random = SeededRandom.of(1, Purpose.EXPLORATION, 1);
    HaqException error =
        assertThrows(HaqException.class, () -> TruncatedNormal.sample(Double.NaN, sigma, random));
    assertTrue(error.getMessage().contains("diverged"), error.getMessage());
  }

  /** The distribution function on a grid, by adding up the density. */
  private static double[] cumulative(double mean, double sigma) {
    double[] sums = new double[CELLS + 1];
    for (int i = 1; i <= CELLS; i++) {
      double z = ((i - 0.5) / CELLS - mean) / sigma;
      sums[i] = sums[i - 1] + Math.exp(-z * z / 2);
    }
    for (int i = 0; i <= CELLS; i++) {
      sums[i] /= sums[CELLS];
    }
    return sums;
  }
}
