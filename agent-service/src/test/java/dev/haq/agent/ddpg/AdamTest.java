package dev.haq.agent.ddpg;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class AdamTest {
  @Test
  void tenStepsFollowTheDefinition() {
    Adam adam = new Adam(1, 1e-3);
    float[] parameter = {0.3f};
    double expected = parameter[0];
    double m = 0;
    double v = 0;
    for (int t = 1; t <= 10; t++) {
      float g = (float) Math.sin(t);
      adam.step(parameter, new float[] {g});

      m = 0.9 * m + 0.1 * g;
      v = 0.999 * v + 0.001 * g * g;
      double mHat = m / (1 - Math.pow(0.9, t));
      double vHat = v / (1 - Math.pow(0.999, t));
      expected -= 1e-3 * mHat / (Math.sqrt(vHat) + 1e-8);
      assertEquals(expected, parameter[0], 1e-6, "step " + t);
    }
  }

  @Test
  void theFirstStepIsTheLearningRateWhateverTheGradient() {
    for (float g : new float[] {1e-3f, 1, 1e3f}) {
      float[] parameter = {0};
      new Adam(1, 1e-3).step(parameter, new float[] {g});
      assertEquals(-1e-3, parameter[0], 1e-7);
    }
  }
}
