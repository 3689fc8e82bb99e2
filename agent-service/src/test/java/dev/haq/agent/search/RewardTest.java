package dev.haq.agent.search;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.haq.model.Accuracy;
import org.junit.jupiter.api.Test;

class RewardTest {
  @Test
  void accuraciesAreInPercentagePoints() {
    Accuracy origin = new Accuracy(1000, 900, 990, 0);
    Accuracy quantized = new Accuracy(1000, 850, 990, 0);
    assertEquals(-0.5, Reward.ACCURACY.of(quantized, origin), 1e-12);
  }
}
