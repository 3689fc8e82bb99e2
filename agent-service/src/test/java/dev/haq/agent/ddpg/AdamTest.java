package dev.haq.agent.ddpg;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
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

  @Test
  void aUnitThatGoesOffLeavesNoSubnormalMomentBehind() {
    Adam adam = new Adam(2, 1e-4);
    float[] parameters = {0.3f, 0.3f};
    for (int t = 1; t <= 200_000; t++) {
      adam.step(parameters, t <= 10 ? new float[] {1e-3f, 1e-9f} : new float[2]);
    }

    ByteBuffer state = ByteBuffer.allocate(adam.bytes());
    adam.save(state);
    state.flip().position(Integer.BYTES);
    while (state.hasRemaining()) {
      float moment = state.getFloat();
      assertTrue(moment == 0 || Math.abs(moment) >= Float.MIN_NORMAL, "moment " + moment);
    }
  }
}
