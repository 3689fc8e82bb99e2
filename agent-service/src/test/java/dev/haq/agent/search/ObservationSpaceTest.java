package dev.haq.agent.search;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.FeatureMap;
import dev.haq.model.Layer;
import dev.haq.model.Network;
import dev.haq.model.Operand;
import dev.haq.model.Window;
import java.util.List;
import org.junit.jupiter.api.Test;

class ObservationSpaceTest {
  @Test
  void theTenNumbersAreThePapersInItsOrder() {
    Network network =
        new Network(
            "",
            "three",
            List.of(
                new Layer.Conv2d(
                    "conv",
                    4,
                    8,
                    1,
                    Window.square(5, 2, 2),
                    FeatureMap.square(10),
                    FeatureMap.square(5),
                    8),
                new Layer.DepthwiseConv2d(
                    "dw",
                    8,
                    8,
                    Window.square(3, 1, 1),
                    FeatureMap.square(5),
                    FeatureMap.square(5),
                    8),
                new Layer.Linear("fc", 24, 16, 1, 16)),
            0);
    ObservationSpace space = new ObservationSpace(network);
    // k, c_in, c_out, kernel, stride, feature map, parameters, depthwise, weight step, action
    // before
    float parameters = (800 - 72) / (float) (800 - 72);
    assertArrayEquals(
        new float[] {0, 0, 0, 1, 1, 1, parameters, 0, 1, 1},
        space.observe(new Decision(0, Operand.WEIGHTS), 1).values(),
        1e-6f);
    assertArrayEquals(
        new float[] {0.5f, 0.2f, 0, 0.5f, 0.5f, 24 / 99f, 0, 1, 0, 0.25f},
        space.observe(new Decision(1, Operand.ACTIVATIONS), 0.25).values(),
        1e-6f);
    float linear = (24 * 16 - 72) / (float) (800 - 72);
    assertArrayEquals(
        new float[] {1, 1, 1, 0, 0, 0, linear, 0, 1, 0},
        space.observe(new Decision(2, Operand.WEIGHTS), 0).values(),
        1e-6f);
  }

  @Test
  void aNumberThatAllLayersShareBecomesZero() {
    Layer layer = new Layer.Linear("a", 5, 5, 1, 0);
    Layer same = new Layer.Linear("b", 5, 5, 1, 0);
    ObservationSpace space = new ObservationSpace(new Network("", "same", List.of(layer, same), 0));
    assertArrayEquals(
        new float[] {1, 0, 0, 0, 0, 0, 0, 0, 1, 0.5f},
        space.observe(new Decision(1, Operand.WEIGHTS), 0.5).values());
  }

  @Test
  void aWindowThatIsNotSquareIsSeenByItsArea() {
    FeatureMap map = FeatureMap.square(8);
    Layer small = new Layer.Conv2d("1x1", 1, 1, 1, Window.square(1, 1, 0), map, map, 0);
    Layer flat =
        new Layer.Conv2d("1x4", 1, 1, 1, new Window(1, 4, 1, 1, 1, 1, 0, 0, 0, 0), map, map, 0);
    Layer large = new Layer.Conv2d("3x3", 1, 1, 1, Window.square(3, 1, 1), map, map, 0);
    ObservationSpace space =
        new ObservationSpace(new Network("", "windows", List.of(small, flat, large), 0));
    assertEquals(0.5f, space.observe(new Decision(1, Operand.WEIGHTS), 1).values()[3], 1e-6f);
  }

  @Test
  void everyNumberLiesBetweenZeroAndOne() {
    SyntheticProblem problem = new SyntheticProblem(9, 1);
    ObservationSpace space = new ObservationSpace(problem.network());
    for (int layer = 0; layer < problem.network().size(); layer++) {
      float[] values = space.observe(new Decision(layer, Operand.WEIGHTS), 0.3).values();
      assertEquals(ObservationSpace.SIZE, values.length);
      for (float value : values) {
        assertTrue(value >= 0 && value <= 1, "layer " + layer + ": " + value);
      }
    }
  }
}
