package dev.haq.agent.losses;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.agent.search.Decision;
import dev.haq.agent.search.DecisionLoss;
import dev.haq.agent.search.Decisions;
import dev.haq.agent.search.ResourceBudget;
import dev.haq.agent.search.Reward;
import dev.haq.agent.search.SearchSpace;
import dev.haq.agent.search.Sensitivities;
import dev.haq.agent.search.SyntheticProblem;
import dev.haq.model.BitChoices;
import dev.haq.model.BitWidth;
import dev.haq.model.Operand;
import dev.haq.model.Policy;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class DynamicProgramTest {
  /** One block: a depthwise and a pointwise layer are free, four decisions of seven widths. */
  private final SyntheticProblem small = new SyntheticProblem(1, 3);

  @Test
  void itAgreesWithTryingEveryPolicy() {
    for (double ratio : new double[] {0.95, 0.8, 0.7, 0.6}) {
      SearchSpace space = new SearchSpace(small.settings(ratio, 1, 1));
      for (int seed = 0; seed < 5; seed++) {
        DecisionLoss loss = randomLoss(seed);
        DynamicProgram program = program(space, loss, DynamicProgram.FINE);
        assertEquals(
            exhaustive(space, loss), program.loss(program.best()), 1e-12, "ratio " + ratio);
      }
    }
  }

  @Test
  void lossesAndCostsAreThoseOfThePolicies() {
    SearchSpace space = new SearchSpace(new SyntheticProblem(9, 1).settings(0.5, 1, 1));
    DecisionLoss loss = randomLoss(1);
    DynamicProgram program = program(space, loss, DynamicProgram.FINE);
    ResourceBudget budget = space.budget().budgets().get(0);
    for (int point = 0; point < program.size(); point += 97) {
      Policy policy = program.policy(point);
      assertEquals(loss(space, loss, policy), program.loss(point), 1e-9);
      assertEquals(budget.cost(policy) / budget.budget().limit(), program.cost(point), 1e-9);
    }
  }

  @Test
  void theWholeFrontTradesCostForLoss() {
    SearchSpace space = new SearchSpace(new SyntheticProblem(25, 1).settings(0.5, 1, 1));
    DynamicProgram program = program(space, randomLoss(2), DynamicProgram.FINE);
    for (int point = 1; point < program.size(); point++) {
      assertTrue(program.cost(point) > program.cost(point - 1));
      assertTrue(program.loss(point) < program.loss(point - 1));
    }
    assertEquals(space.decisions().uniform(0), program.policy(0));
  }

  @Test
  void fewCellsGiveAwayNoMoreThanTheGapThatIsStated() {
    SearchSpace space = new SearchSpace(new SyntheticProblem(9, 1).settings(0.4, 1, 1));
    for (int seed = 0; seed < 10; seed++) {
      DecisionLoss loss = randomLoss(seed);
      DynamicProgram fine = program(space, loss, 1 << 19);
      DynamicProgram coarse = program(space, loss, 256);
      double lost = coarse.loss(coarse.best()) - fine.loss(fine.best());
      assertTrue(lost >= -1e-12);
      assertTrue(
          lost <= coarse.loss(coarse.best()) - coarse.bound() + 1e-12, lost + " is beyond the gap");
    }
  }

  @Test
  void withMeasuredSensitivitiesItBeatsEveryUniformPolicy() {
    SyntheticProblem problem = new SyntheticProblem(9, 1);
    SearchSpace space = new SearchSpace(problem.settings(0.4, 1, 1));
    Sensitivities measured = problem.measure(BitChoices.PAPER, BitChoices.PAPER);
    DynamicProgram program =
        program(space, measured.losses(Reward.KL_DIVERGENCE), DynamicProgram.FINE);
    double found = problem.evaluate(program.policy(program.best())).top1();
    for (int width = 0; width < 7; width++) {
      Policy uniform = space.decisions().uniform((width + 0.5) / 7);
      if (space.budget().isMetBy(uniform)) {
        assertTrue(found > problem.evaluate(uniform).top1());
      }
    }
  }

  @Test
  void widthsThatCostAThousandTimesMoreDoNotBlurTheOthers() {
    SeveralBudgets costs =
        SeveralBudgets.of(
            small.network(),
            (layer, weights, activations) ->
                layer == 1 && weights == 8 ? 1e9 : (layer + 1.3) * weights * activations,
            (layer, weights, activations) -> 1);
    SearchSpace space = costs.within(BitChoices.PAPER, 500);
    DecisionLoss loss = randomLoss(1);
    DynamicProgram program = program(space, loss, DynamicProgram.COARSE);
    assertEquals(exhaustive(space, loss), program.loss(program.best()), 1e-12);
  }

  /** Of the only budget. */
  private static DynamicProgram program(SearchSpace space, DecisionLoss loss, int cells) {
    return DynamicProgram.weighted(space, loss, new double[] {1}, cells);
  }

  /** Falls with every bit, by amounts of its own. */
  private static DecisionLoss randomLoss(long seed) {
    return (Decision decision, BitWidth width) -> {
      long operand = decision.operand() == Operand.WEIGHTS ? 1 : 2;
      SplittableRandom random =
          new SplittableRandom(seed * 1_000_003 + decision.layer() * 97L + operand * 31);
      double sum = 0;
      for (int bits = 8; bits > width.bits(); bits--) {
        sum += random.nextDouble();
      }
      return sum;
    };
  }

  private static double loss(SearchSpace space, DecisionLoss loss, Policy policy) {
    return new Exchange(space, loss).loss(policy);
  }

  private static double exhaustive(SearchSpace space, DecisionLoss loss) {
    return exhaustive(space, loss, space.decisions().uniform(0), 0);
  }

  private static double exhaustive(SearchSpace space, DecisionLoss loss, Policy policy, int step) {
    Decisions decisions = space.decisions();
    if (step == decisions.size()) {
      return space.budget().isMetBy(policy) ? loss(space, loss, policy) : Double.POSITIVE_INFINITY;
    }
    double least = Double.POSITIVE_INFINITY;
    for (int bits = 2; bits <= 8; bits++) {
      Policy next = Decisions.with(policy, decisions.get(step), BitWidth.of(bits));
      least = Math.min(least, exhaustive(space, loss, next, step + 1));
    }
    return least;
  }
}
