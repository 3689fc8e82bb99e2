package dev.haq.agent.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.agent.search.SeededRandom.Purpose;
import org.junit.jupiter.api.Test;

class SeededRandomTest {
  @Test
  void seedPurposeAndEpisodeDecideTheNumbers() {
    long first = SeededRandom.of(1, Purpose.REPLAY, 1).nextLong();
    assertEquals(first, SeededRandom.of(1, Purpose.REPLAY, 1).nextLong());
    assertNotEquals(first, SeededRandom.of(2, Purpose.REPLAY, 1).nextLong());
    assertNotEquals(first, SeededRandom.of(1, Purpose.EXPLORATION, 1).nextLong());
    assertNotEquals(first, SeededRandom.of(1, Purpose.REPLAY, 2).nextLong());
  }

  @Test
  void theMomentsAreThoseOfTheDistributions() {
    SeededRandom random = SeededRandom.of(1, Purpose.EXPLORATION, 1);
    int draws = 200_000;
    double uniform = 0;
    double gaussian = 0;
    double square = 0;
    int[] dice = new int[6];
    for (int i = 0; i < draws; i++) {
      double u = random.nextDouble();
      assertTrue(u >= 0 && u < 1);
      uniform += u / draws;
      double g = random.nextGaussian();
      gaussian += g / draws;
      square += g * g / draws;
      dice[random.nextInt(6)]++;
    }
    assertEquals(0.5, uniform, 0.003);
    assertEquals(0, gaussian, 0.01);
    assertEquals(1, square, 0.02);
    for (int count : dice) {
      assertEquals(draws / 6.0, count, 800);
    }
  }
}
