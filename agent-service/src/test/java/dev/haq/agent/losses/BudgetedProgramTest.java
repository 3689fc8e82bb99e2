package dev.haq.agent.losses;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.agent.agents.Agents;
import dev.haq.agent.ddpg.DdpgSettings;
import dev.haq.agent.search.Decision;
import dev.haq.agent.search.DecisionLoss;
import dev.haq.agent.search.Decisions;
import dev.haq.agent.search.Search;
import dev.haq.agent.search.SearchSpace;
import dev.haq.agent.search.SyntheticProblem;
import dev.haq.model.BitChoices;
import dev.haq.model.BitWidth;
import dev.haq.model.Operand;
import dev.haq.model.Policy;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BudgetedProgramTest {
  private static final BitChoices THREE = new BitChoices(List.of(2, 4, 8));
  private static final DdpgSettings SMALL =
      new DdpgSettings(16, 12, 1e-3, 1e-3, 0.01, 1, 16, 64, 3, 0.5, 0.97, 1, 0.5);

  private int searches;
  private int exact;

  @Test
  void withThreeBudgetsItAgreesWithTryingEveryPolicyButForTheGapThatIsStated() {
    for (int seed = 0; seed < 40; seed++) {
      double[] parts = new SplittableRandom(seed).doubles(3, 0.3, 0.9).toArray();
      // four decisions of seven widths, eight of three
      compare(budgets(1, seed).space(BitChoices.PAPER, parts));
      compare(budgets(2, seed).space(THREE, parts));
    }
    assertTrue(exact > 0.95 * searches, exact + " of " + searches + " are the best policy");
  }

  private static SeveralBudgets budgets(int blocks, long seed) {
    return SeveralBudgets.of(new SyntheticProblem(blocks, seed), seed);
  }

  private void compare(SearchSpace space) {
    DecisionLoss loss = unevenLoss(searches++);
    BudgetedProgram program = BudgetedProgram.of(space, loss, DynamicProgram.FINE);
    double least = exhaustive(space, loss, space.decisions().uniform(0), 0, Double.MAX_VALUE);
    assertTrue(space.budget().isMetBy(program.best()));
    assertEquals(new Exchange(space, loss).loss(program.best()), program.loss(), 1e-9);
    assertTrue(program.loss() >= least - 1e-9, "better than the best");
    assertTrue(program.loss() - program.gap() <= least + 1e-9, "the gap is too small");
    assertTrue(program.loss() <= 1.02 * least, program.loss() + " instead of " + least);
    exact += program.loss() <= least + 1e-9 ? 1 : 0;
  }

  @Test
  void ofADeepNetworkItIsWithinAFewPercentOfTheBound() {
    for (int seed = 0; seed < 3; seed++) {
      SearchSpace space = budgets(25, seed).space(BitChoices.PAPER, 0.35, 0.5, 0.45);
      BudgetedProgram program = BudgetedProgram.of(space, unevenLoss(seed), DynamicProgram.FINE);
      assertTrue(program.gap() < 0.05 * program.loss(), program.gap() + " of " + program.loss());
    }
  }

  @Test
  void aFurtherBudgetThatTheBestPolicyMeetsChangesNothing() {
    for (int seed = 0; seed < 5; seed++) {
      DecisionLoss loss = unevenLoss(seed);
      SearchSpace alone = budgets(9, seed).space(BitChoices.PAPER, 0.2);
      SearchSpace three = budgets(9, seed).space(BitChoices.PAPER, 0.2, 0.95, 0.97);
      assertEquals(3, three.budget().binding().size());
      BudgetedProgram expected = BudgetedProgram.of(alone, loss, DynamicProgram.FINE);
      assertTrue(three.budget().isMetBy(expected.best()));
      BudgetedProgram found = BudgetedProgram.of(three, loss, DynamicProgram.FINE);
      assertEquals(expected.best(), found.best());
      assertEquals(expected.gap(), found.gap());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"auto", "dp", "greedy"})
  void aFurtherBudgetThatEveryPolicyMeetsChangesNoEpisode(String agent) {
    assertEquals(policies(agent, 0.3), policies(agent, 0.3, 1, 1));
  }

  @Test
  void whatFollowsTheBestIsWithinAllBudgetsAndComesOnce() {
    SearchSpace space = budgets(9, 1).space(BitChoices.PAPER, 0.35, 0.5, 0.45);
    BudgetedProgram program = BudgetedProgram.of(space, unevenLoss(1), DynamicProgram.COARSE);
    BudgetedProgram.Front front = program.front();
    Exchange exchange = new Exchange(space, unevenLoss(1));
    Set<Policy> policies = new HashSet<>();
    double before = program.loss();
    for (int rank = 0; rank < front.size(); rank++) {
      Policy policy = front.policy(rank);
      assertTrue(policies.add(policy), "twice");
      assertTrue(space.budget().isMetBy(policy));
      assertTrue(exchange.loss(policy) >= before - 1e-9);
      before = exchange.loss(policy);
    }
    assertTrue(policies.size() > 100);
  }

  private static List<Policy> policies(String name, double... parts) {
    SyntheticProblem problem = new SyntheticProblem(4, 1);
    SeveralBudgets costs = SeveralBudgets.of(problem, 1);
    SearchSpace space = costs.space(BitChoices.PAPER, parts);
    Search search = new Search(space, costs, problem, Agents.create(name, space, problem, SMALL));
    return IntStream.rangeClosed(1, 40).mapToObj(n -> search.episode(n).policy()).toList();
  }

  /** Falls with every bit, by amounts of its own; layers differ by a factor of up to 100. */
  private static DecisionLoss unevenLoss(long seed) {
    return (decision, width) -> {
      long operand = decision.operand() == Operand.WEIGHTS ? 1 : 2;
      SplittableRandom random =
          new SplittableRandom(seed * 1_000_003 + decision.layer() * 97L + operand * 31);
      double scale = Math.pow(100, random.nextDouble());
      double sum = 0;
      for (int bits = 8; bits > width.bits(); bits--) {
        sum += scale * random.nextDouble() * Math.pow(2, 8 - bits);
      }
      return sum;
    };
  }

  /**
   * The least loss of what a policy may become from a step on, where that is less than {@code
   * most}.
   */
  private static double exhaustive(
      SearchSpace space, DecisionLoss loss, Policy policy, int step, double most) {
    Decisions decisions = space.decisions();
    if (step == decisions.size()) {
      return space.budget().isMetBy(policy)
          ? Math.min(most, new Exchange(space, loss).loss(policy))
          : most;
    }
    double least = most;
    Decision decision = decisions.get(step);
    for (int bits : decisions.choices(decision).bits()) {
      Policy next = Decisions.with(policy, decision, BitWidth.of(bits));
      least = Math.min(least, exhaustive(space, loss, next, step + 1, least));
    }
    return least;
  }
}
