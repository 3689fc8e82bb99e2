package dev.haq.agent.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.haq.model.BitChoices;
import dev.haq.model.BitWidth;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class ActionSpaceTest {
  private final ActionSpace paper = new ActionSpace(BitChoices.PAPER);

  @Test
  void actionOneGivesEightBitsNotNine() {
    assertEquals(8, paper.bits(1).bits());
    assertEquals(2, paper.bits(0).bits());
  }

  @Test
  void itIsThePapersFormula() {
    for (int i = 0; i < 700; i++) { // i = 700 is a = 1
      double a = i / 700.0;
      long formula = (long) Math.floor(2 - 0.5 + a * (8 - 2 + 1) + 0.5);
      assertEquals(formula, paper.bits(a).bits(), "a = " + a);
    }
  }

  @Test
  void everyWidthOwnsAnIntervalOfTheSameLength() {
    assertEquals(
        Map.of(2, 100, 3, 100, 4, 100, 5, 100, 6, 100, 7, 100, 8, 100), histogram(paper, 700));
    ActionSpace subset = new ActionSpace(new BitChoices(List.of(2, 4, 8)));
    assertEquals(Map.of(2, 100, 4, 100, 8, 100), histogram(subset, 300));
  }

  @Test
  void theMiddleOfAnIntervalMapsBack() {
    for (int bits : BitChoices.PAPER.bits()) {
      BitWidth width = BitWidth.of(bits);
      assertEquals(width, paper.bits(paper.action(width)));
    }
  }

  @Test
  void anActionOutsideItsRangeIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> paper.bits(1.01));
    assertThrows(IllegalArgumentException.class, () -> paper.bits(Double.NaN));
  }

  private static Map<Integer, Integer> histogram(ActionSpace space, int samples) {
    Map<Integer, Integer> counts = new TreeMap<>();
    for (int i = 0; i < samples; i++) {
      counts.merge(space.bits((i + 0.5) / samples).bits(), 1, Integer::sum);
    }
    return counts;
  }
}
