package dev.haq.agent.losses;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.agent.search.BudgetLimit;
import dev.haq.agent.search.DecisionLoss;
import dev.haq.agent.search.Decisions;
import dev.haq.agent.search.Pinning;
import dev.haq.agent.search.ResourceBudget;
import dev.haq.agent.search.Reward;
import dev.haq.agent.search.SearchSettings;
import dev.haq.agent.search.SearchSpace;
import dev.haq.agent.search.Sensitivities;
import dev.haq.agent.search.SyntheticProblem;
import dev.haq.model.BitChoices;
import dev.haq.model.BitWidth;
import dev.haq.model.Policy;
import dev.haq.model.Resource;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class PredictedFrontTest {
  private static final int ALL = Integer.MAX_VALUE;

  /** One block: a depthwise and a pointwise layer are free, four decisions of seven widths. */
  private final SyntheticProblem small = new SyntheticProblem(1, 3);

  private final SyntheticProblem deep = new SyntheticProblem(25, 1);

  @Test
  void noPolicyThatDivergesAsLittleIsCheaperByMoreThanTheSlack() {
    SearchSpace space = unlimited(small);
    Exchange exchange = new Exchange(space, loss(small));
    for (int most : new int[] {2, 10, ALL}) {
      PredictedFront front = front(small, most);
      everyPolicy(
          space.decisions(),
          policy -> {
            double cost = small.table().cost(policy);
            double divergence = exchange.loss(policy);
            for (PredictedFront.Point point : front.points()) {
              assertTrue(
                  divergence > point.divergence() + 1e-12
                      || point.cost() <= cost + front.slack() + 1e-12,
                  () -> point + " costs more than " + policy);
            }
          });
    }
  }

  @Test
  void dearerPointsDivergeLessAndAreWhatTheirPoliciesCost() {
    for (SyntheticProblem problem : List.of(small, deep)) {
      Exchange exchange = new Exchange(unlimited(problem), loss(problem));
      List<PredictedFront.Point> points = front(problem, 50).points();
      for (int i = 0; i < points.size(); i++) {
        PredictedFront.Point point = points.get(i);
        assertEquals(problem.table().cost(point.policy()), point.cost());
        assertEquals(exchange.loss(point.policy()), point.divergence(), 1e-9);
        if (i > 0) {
          assertTrue(point.cost() > points.get(i - 1).cost());
          assertTrue(point.divergence() < points.get(i - 1).divergence());
        }
      }
    }
  }

  @Test
  void whatIsKeptIsSpreadEvenlyFromTheCheapestToTheDearest() {
    List<PredictedFront.Point> all = front(deep, ALL).points();
    List<PredictedFront.Point> kept = front(deep, 20).points();
    assertTrue(all.size() > 1_000 && all.size() <= DynamicProgram.FINE + 1, "" + all.size());
    assertEquals(20, kept.size());
    assertEquals(all.get(0), kept.get(0));
    assertEquals(all.get(all.size() - 1), kept.get(19));
    assertTrue(all.containsAll(kept));
    double step = (kept.get(19).cost() - kept.get(0).cost()) / 19;
    for (int i = 1; i < 19; i++) {
      double most = kept.get(0).cost() + i * step;
      PredictedFront.Point best =
          all.stream()
              .filter(point -> point.cost() <= most * (1 + 1e-12))
              .reduce((one, dearer) -> dearer)
              .orElseThrow();
      assertEquals(best, kept.get(i));
      assertEquals(most, kept.get(i).cost(), 0.1 * step);
    }
  }

  @Test
  void aFrontOfFewPointsIsKeptWhole() {
    assertEquals(2, front(small, 2).points().size());
    int all = front(small, ALL).points().size();
    assertEquals(all, front(small, all).points().size());
    assertTrue(front(small, all - 1).points().size() < all);
  }

  @Test
  void dpLosesNoMoreAtABudgetThanTheFrontAPermilleBelowIt() {
    Sensitivities measured = deep.measure(BitChoices.PAPER, BitChoices.PAPER);
    DecisionLoss loss = measured.losses(Reward.KL_DIVERGENCE);
    List<PredictedFront.Point> all = front(deep, ALL).points();
    for (double ratio : new double[] {0.3, 0.5, 0.8}) {
      SearchSpace space = new SearchSpace(deep.settings(ratio, 1, 1));
      double limit = space.settings().mainBudget().budget().limit();
      PredictedFront.Point below =
          all.stream()
              .filter(point -> point.cost() <= 0.999 * limit)
              .reduce((one, dearer) -> dearer)
              .orElseThrow();
      Policy proposed = BudgetedProgram.of(space, loss, DynamicProgram.FINE).best();
      assertTrue(new Exchange(space, loss).loss(proposed) <= below.divergence() + 1e-12);
    }
  }

  private static PredictedFront front(SyntheticProblem problem, int most) {
    return PredictedFront.measured(unlimited(problem), problem, most);
  }

  private static DecisionLoss loss(SyntheticProblem problem) {
    Sensitivities measured = problem.measure(BitChoices.PAPER, BitChoices.PAPER);
    return measured.losses(Reward.KL_DIVERGENCE);
  }

  private static SearchSpace unlimited(SyntheticProblem problem) {
    double reference = BudgetLimit.reference(Resource.LATENCY, problem.network(), problem);
    return new SearchSpace(
        new SearchSettings(
            problem.network(),
            List.of(ResourceBudget.unlimited(problem.table(), reference)),
            BitChoices.PAPER,
            BitChoices.PAPER,
            Pinning.FIRST_AND_LAST,
            Reward.ACCURACY,
            1,
            1));
  }

  private static void everyPolicy(Decisions decisions, Consumer<Policy> consumer) {
    everyPolicy(decisions, decisions.uniform(0), 0, consumer);
  }

  private static void everyPolicy(
      Decisions decisions, Policy policy, int step, Consumer<Policy> consumer) {
    if (step == decisions.size()) {
      consumer.accept(policy);
      return;
    }
    for (int bits : BitChoices.PAPER.bits()) {
      Policy next = Decisions.with(policy, decisions.get(step), BitWidth.of(bits));
      everyPolicy(decisions, next, step + 1, consumer);
    }
  }
}
