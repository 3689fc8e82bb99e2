package dev.haq.agent.losses;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.agent.search.DecisionLoss;
import dev.haq.agent.search.Decisions;
import dev.haq.agent.search.SearchSpace;
import dev.haq.agent.search.SeededRandom;
import dev.haq.agent.search.SeededRandom.Purpose;
import dev.haq.agent.search.SyntheticProblem;
import dev.haq.model.BitWidth;
import dev.haq.model.Policy;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class LossModelTest {
  private final SearchSpace space = new SearchSpace(new SyntheticProblem(3, 1).settings(0.9, 1, 1));
  private final Decisions decisions = space.decisions();
  private final DecisionLoss measured = (decision, width) -> Math.pow(2, -width.bits());

  @Test
  void itLearnsWhichSensitivitiesWereWrong() {
    // the first decision is three times as bad as it was measured to be, the others are half
    DecisionLoss truth =
        (decision, width) ->
            measured.of(decision, width) * (decision.equals(decisions.get(0)) ? 3 : 0.5);
    LossModel model = new LossModel(decisions, measured);
    SeededRandom random = SeededRandom.of(1, Purpose.EXPLORATION, 1);
    for (int n = 0; n < 200; n++) {
      Policy policy = drawn(random);
      model.observe(policy, new Exchange(space, truth).loss(policy));
    }
    BitWidth four = BitWidth.of(4);
    for (int step = 0; step < decisions.size(); step++) {
      double expected = truth.of(decisions.get(step), four);
      assertEquals(expected, model.expected().of(decisions.get(step), four), 0.1 * expected);
    }
  }

  @Test
  void whatIsDrawnScattersLessTheMoreIsKnown() {
    LossModel model = new LossModel(decisions, measured);
    double before = spread(model);
    SeededRandom random = SeededRandom.of(1, Purpose.EXPLORATION, 1);
    for (int n = 0; n < 100; n++) {
      Policy policy = drawn(random);
      model.observe(policy, new Exchange(space, measured).loss(policy));
    }
    double after = spread(model);
    assertTrue(after < before / 5, before + " before, " + after + " after");
  }

  private Policy drawn(SeededRandom random) {
    return decisions.policy(Stream.generate(random::nextDouble).limit(decisions.size()).toList());
  }

  private double spread(LossModel model) {
    double sum = 0;
    for (int n = 1; n <= 30; n++) {
      DecisionLoss drawn = model.drawn(SeededRandom.of(2, Purpose.EXPLORATION, n), 1);
      DecisionLoss expected = model.expected();
      double off =
          drawn.of(decisions.get(1), BitWidth.of(4))
              - expected.of(decisions.get(1), BitWidth.of(4));
      sum += Math.abs(off);
    }
    return sum;
  }
}
