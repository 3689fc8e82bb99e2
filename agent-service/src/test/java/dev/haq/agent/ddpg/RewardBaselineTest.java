package dev.haq.agent.ddpg;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class RewardBaselineTest {
  @Test
  void theFirstBatchStartsItAndLaterOnesMoveItHalfWay() {
    RewardBaseline baseline = new RewardBaseline(0.5);
    assertEquals(-2, baseline.update(new float[] {-1, -3}));
    assertEquals(-1, baseline.update(new float[] {0, 0}));
  }
}
