package dev.haq.agent.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.BitChoices;
import dev.haq.model.BitWidth;
import dev.haq.model.CostTable;
import dev.haq.model.HaqException;
import dev.haq.model.LayerBits;
import dev.haq.model.Network;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import dev.haq.model.Resource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.DoubleBinaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class BudgetFitterTest {
  private final SyntheticProblem problem = new SyntheticProblem(9, 1);
  private final SplittableRandom random = new SplittableRandom(1);

  @Test
  void aPolicyWithinTheBudgetIsLeftAlone() {
    Fixture at = fixture(1, BitChoices.PAPER);
    Policy eight = at.decisions.uniform(1);
    assertSame(eight, at.fitter.fit(eight));
  }

  @Test
  void whatComesOutFitsAndNoWidthEverRises() {
    for (double ratio : new double[] {0.9, 0.6, 0.4, 0.3}) {
      Fixture at = fixture(ratio, BitChoices.PAPER);
      for (int i = 0; i < 50; i++) {
        Policy proposed = at.decisions.policy(actions(at.decisions.size()));
        Policy fitted = at.fitter.fit(proposed);
        assertTrue(cost(at, fitted) <= at.limit);
        assertEquals(proposed.get(0), fitted.get(0));
        assertEquals(proposed.get(proposed.size() - 1), fitted.get(proposed.size() - 1));
        for (int layer = 0; layer < fitted.size(); layer++) {
          LayerBits before = proposed.get(layer);
          LayerBits after = fitted.get(layer);
          assertTrue(after.weights().compareTo(before.weights()) <= 0);
          assertTrue(after.activations().compareTo(before.activations()) <= 0);
          assertTrue(after.weights().bits() >= 2 && after.activations().bits() >= 2);
        }
      }
    }
  }

  @Test
  void itAgreesWithTheReferenceCodesWalkStepByStep() {
    for (double ratio : new double[] {0.8, 0.5, 0.3}) {
      Fixture at = fixture(ratio, BitChoices.PAPER);
      for (int i = 0; i < 20; i++) {
        Policy proposed = at.decisions.policy(actions(at.decisions.size()));
        assertEquals(walk(proposed, at), at.fitter.fit(proposed));
      }
    }
  }

  /** Last layer to first, activation before weight, one bit each, until it fits. */
  private static Policy walk(Policy policy, Fixture at) {
    Policy now = policy;
    while (cost(at, now) > at.limit) {
      for (int layer = now.size() - 2; layer >= 1; layer--) {
        LayerBits bits = now.get(layer);
        if (bits.activations().bits() > 2) {
          bits = LayerBits.of(bits.weights().bits(), bits.activations().bits() - 1);
          now = now.with(layer, bits);
          if (cost(at, now) <= at.limit) {
            return now;
          }
        }
        if (bits.weights().bits() > 2) {
          now = now.with(layer, LayerBits.of(bits.weights().bits() - 1, bits.activations().bits()));
          if (cost(at, now) <= at.limit) {
            return now;
          }
        }
      }
    }
    return now;
  }

  @Test
  void aSubsetOfWidthsIsWalkedDownItsOwnSteps() {
    Fixture at = fixture(0.3, new BitChoices(List.of(2, 4, 8)));
    for (LayerBits bits : at.fitter.fit(at.decisions.uniform(1)).layers()) {
      assertTrue(List.of(2, 4, 8).contains(bits.weights().bits()), bits.toString());
      assertTrue(List.of(2, 4, 8).contains(bits.activations().bits()), bits.toString());
    }
  }

  @Test
  void anUnreachableBudgetIsRefusedWithTheSmallestReachable() {
    Fixture at = fixture(0.01, BitChoices.PAPER);
    HaqException e = assertThrows(HaqException.class, at.fitter::checkFeasible);
    assertEquals(Reason.BUDGET_INFEASIBLE, e.reason());
    double smallest = Double.parseDouble(e.details().get("smallest_reachable"));
    assertEquals(cost(at, at.decisions.uniform(0)), smallest);
    double ratio = Double.parseDouble(e.details().get("smallest_reachable_ratio"));
    assertEquals(smallest / at.limit * 0.01, ratio, 1e-9);
    assertThrows(HaqException.class, () -> at.fitter.fit(at.decisions.uniform(0.5)));

    fixture(ratio * 1.0001, BitChoices.PAPER).fitter.checkFeasible();
  }

  @Test
  void theSmallestReachableThatIsPrintedIsEnough() {
    Pattern printed = Pattern.compile("smallest reachable is (\\S+) s \\(ratio (\\S+)\\)");
    SearchSettings paper = problem.settings(1, 1, 1);
    for (double eighth : new double[] {1.0 / 3, 0.0123456789, 2.0 / 7}) {
      CostTable table = table(Resource.LATENCY, (w, a) -> eighth * w * a);
      double eight = table.cost(new Decisions(paper).uniform(1));
      SearchSettings impossible = onlyWithin(paper, table, 0.001 * eight, eight);
      HaqException e = assertThrows(HaqException.class, () -> new SearchSpace(impossible));
      Matcher found = printed.matcher(e.getMessage());
      assertTrue(found.find(), e.getMessage());
      double amount = Double.parseDouble(found.group(1));
      double ratio = Double.parseDouble(found.group(2));
      new SearchSpace(onlyWithin(paper, table, amount, eight));
      new SearchSpace(onlyWithin(paper, table, ratio * eight, eight));
    }
  }

  @Test
  void whereFewerBitsCostMoreTheCheapestWidthsAreFoundBelowTheNarrowest() {
    SearchSettings paper = problem.settings(1, 1, 1);
    CostTable table = bestAtFour();
    double eight = table.cost(new Decisions(paper).uniform(1));
    SearchSettings settings = onlyWithin(paper, table, 0.6 * eight, eight);
    Decisions decisions = new Decisions(settings);
    BudgetFitter fitter = new BudgetFitter(decisions, settings.budgets());
    assertFalse(fitter.isMetBy(decisions.uniform(0)));
    fitter.checkFeasible();
    Policy fitted = fitter.fit(decisions.uniform(0));
    assertTrue(fitter.isMetBy(fitted));
    assertEquals(LayerBits.of(4, 4), fitted.get(fitted.size() - 2));
    assertEquals(LayerBits.of(2, 2), fitted.get(1)); // what already fits is left alone

    SearchSettings impossible = onlyWithin(paper, table, 0.01 * eight, eight);
    HaqException e = assertThrows(HaqException.class, () -> new SearchSpace(impossible));
    double four = table.cost(decisions.policy(Collections.nCopies(decisions.size(), 2.5 / 7)));
    assertEquals(four, Double.parseDouble(e.details().get("smallest_reachable")), 1e-9);
  }

  @Test
  void aBudgetThatOnlyNarrowerWidthsBreakIsBinding() {
    CostTable latency = table(Resource.LATENCY, Double::sum);
    CostTable energy = table(Resource.ENERGY, (w, a) -> w < 8 ? 12 : 8);
    Policy widest = new Decisions(problem.settings(1, 1, 1)).uniform(1);
    ResourceBudget half =
        new ResourceBudget(latency, limit(latency.cost(widest) / 2, latency.cost(widest)));
    ResourceBudget same =
        new ResourceBudget(energy, limit(energy.cost(widest), energy.cost(widest)));
    ResourceBudget ample =
        new ResourceBudget(energy, limit(2 * energy.cost(widest), energy.cost(widest)));
    assertEquals(List.of(half, same), binding(List.of(half, same)));
    assertEquals(List.of(half), binding(List.of(half, ample)));
    assertEquals(List.of(ample), binding(List.of(ample)), "one there is always");
  }

  private List<ResourceBudget> binding(List<ResourceBudget> budgets) {
    return new BudgetFitter(new Decisions(problem.settings(1, 1, 1)), budgets).binding();
  }

  @Test
  void proposalsStayDifferentWhereTheNarrowestWidthsDoNotFit() {
    SearchSettings paper = problem.settings(1, 1, 1);
    CostTable table = bestAtFour();
    double eight = table.cost(new Decisions(paper).uniform(1));
    SearchSettings settings = onlyWithin(paper, table, 0.6 * eight, eight);
    Decisions decisions = new Decisions(settings);
    BudgetFitter fitter = new BudgetFitter(decisions, settings.budgets());
    Set<Policy> fitted = new HashSet<>();
    for (int i = 0; i < 50; i++) {
      Policy policy = fitter.fit(decisions.policy(actions(decisions.size())));
      assertTrue(fitter.isMetBy(policy));
      fitted.add(policy);
    }
    assertTrue(fitted.size() > 40, fitted.size() + " policies of 50 proposals");
  }

  @Test
  void aWidthThatWouldCostMoreIsSkipped() {
    SearchSettings paper = problem.settings(1, 1, 1);
    CostTable noisy = table(Resource.LATENCY, (w, a) -> w + (a == 7 ? 8.1 : a));
    double eight = noisy.cost(new Decisions(paper).uniform(1));
    SearchSettings settings = onlyWithin(paper, noisy, eight - 1, eight);
    Decisions decisions = new Decisions(settings);
    Policy fitted = new BudgetFitter(decisions, settings.budgets()).fit(decisions.uniform(1));
    int lastFree = fitted.size() - 2;
    assertEquals(decisions.uniform(1).with(lastFree, LayerBits.of(8, 6)), fitted);
  }

  @Test
  void budgetsThatOnlyDifferentWidthsMeetTogetherAreMet() {
    SearchSettings settings = latencyAgainstSize(12, 10);
    Decisions decisions = new Decisions(settings);
    BudgetFitter fitter = new BudgetFitter(decisions, settings.budgets());
    fitter.checkFeasible();
    for (double action : new double[] {0, 1}) {
      Policy fitted = fitter.fit(decisions.uniform(action));
      assertTrue(fitter.isMetBy(fitted));
      assertFalse(fitted.get(1).equals(fitted.get(2)));
    }
  }

  @Test
  void ofBudgetsThatCannotBeMetTogetherTheRefusalSaysHowFarTheFirstWouldHaveToBeRaised() {
    SearchSettings settings = latencyAgainstSize(4, 10);
    HaqException e = assertThrows(HaqException.class, () -> new SearchSpace(settings));
    assertEquals(Reason.BUDGET_INFEASIBLE, e.reason());
    assertEquals("LATENCY", e.details().get("resource"));
    assertEquals(12, Double.parseDouble(e.details().get("smallest_reachable")));
    assertTrue(
        e.getMessage().contains("a latency budget of 12.0000 s (ratio 0.1200) can be met"),
        e.getMessage());
  }

  @Test
  void whateverIsFoundFeasibleCanBeFittedToFromAnywhere() {
    int feasible = 0;
    for (int seed = 0; seed < 200; seed++) {
      SplittableRandom drawn = new SplittableRandom(seed);
      SyntheticProblem two = new SyntheticProblem(1, 1);
      List<ResourceBudget> budgets = new ArrayList<>();
      for (Resource resource : List.of(Resource.LATENCY, Resource.ENERGY)) {
        CostTable table = drawnTable(two, resource, drawn);
        double narrowest = table.cost(Policy.uniform(4, LayerBits.of(2, 2)));
        budgets.add(
            new ResourceBudget(table, limit((0.7 + 0.5 * drawn.nextDouble()) * narrowest, 1)));
      }
      SearchSettings paper = two.settings(1, 1, 1);
      SearchSettings settings =
          new SearchSettings(
              two.network(),
              budgets,
              paper.weightBits(),
              paper.activationBits(),
              Pinning.IMAGE,
              Reward.ACCURACY,
              1,
              1);
      Decisions decisions = new Decisions(settings);
      BudgetFitter fitter = new BudgetFitter(decisions, settings.budgets());
      if (!isRefused(fitter)) {
        feasible++;
        for (int i = 0; i < 20; i++) {
          assertTrue(fitter.isMetBy(fitter.fit(decisions.policy(actions(decisions.size())))));
        }
      }
    }
    assertTrue(feasible > 50, feasible + " of 200 can be met");
  }

  private static boolean isRefused(BudgetFitter fitter) {
    try {
      fitter.checkFeasible();
      return false;
    } catch (HaqException e) {
      assertEquals(Reason.BUDGET_INFEASIBLE, e.reason());
      return true;
    }
  }

  /** Any width may cost anything. */
  private static CostTable drawnTable(
      SyntheticProblem problem, Resource resource, SplittableRandom drawn) {
    BitChoices bits = BitChoices.PAPER;
    double[] values =
        drawn.doubles((long) problem.network().size() * bits.size() * bits.size()).toArray();
    return new CostTable(
        resource, problem.table().layers(), bits, bits, values, new double[0], false, 0);
  }

  /** Two free layers of 2 or 8 bits: 8 bits take 2 of 10 s and 8 B, 2 bits 10 s and 2 B. */
  private static SearchSettings latencyAgainstSize(double seconds, double bytes) {
    SyntheticProblem two = new SyntheticProblem(1, 1);
    BitChoices widths = new BitChoices(List.of(2, 8));
    CostTable latency = inner(two, Resource.LATENCY, 10, 2);
    CostTable size = inner(two, Resource.MODEL_SIZE, 2, 8);
    return new SearchSettings(
        two.network(),
        List.of(
            new ResourceBudget(latency, limit(seconds, 100)),
            new ResourceBudget(size, limit(bytes, 100))),
        widths,
        widths,
        Pinning.FIRST_AND_LAST,
        Reward.ACCURACY,
        1,
        1);
  }

  /** Weights alone cost anything, and not in the first and the last layer. */
  private static CostTable inner(
      SyntheticProblem problem, Resource resource, double atTwo, double atEight) {
    BitChoices widths = new BitChoices(List.of(2, 8));
    int layers = problem.network().size();
    double[] values = new double[layers * 4];
    for (int layer = 1; layer < layers - 1; layer++) {
      for (int cell = 0; cell < 4; cell++) {
        values[4 * layer + cell] = cell < 2 ? atTwo : atEight;
      }
    }
    return new CostTable(
        resource, problem.table().layers(), widths, widths, values, new double[0], false, 0);
  }

  private static SearchSettings onlyWithin(
      SearchSettings paper, CostTable table, double limit, double reference) {
    return new SearchSettings(
        paper.network(),
        List.of(new ResourceBudget(table, limit(limit, reference))),
        paper.weightBits(),
        paper.activationBits(),
        paper.pinning(),
        paper.reward(),
        1,
        1);
  }

  /** A device that unpacks what is narrower than four bits. */
  private CostTable bestAtFour() {
    return table(Resource.LATENCY, (w, a) -> (w < 4 ? 8 : w) + (a < 4 ? 8 : a));
  }

  /** The same of every layer. */
  private CostTable table(Resource resource, DoubleBinaryOperator cost) {
    BitChoices bits = BitChoices.PAPER;
    double[] values = new double[problem.network().size() * bits.size() * bits.size()];
    int cell = 0;
    for (int layer = 0; layer < problem.network().size(); layer++) {
      for (int w : bits.bits()) {
        for (int a : bits.bits()) {
          values[cell++] = cost.applyAsDouble(w, a);
        }
      }
    }
    return new CostTable(
        resource, problem.table().layers(), bits, bits, values, new double[0], false, 0);
  }

  @Test
  void modelSizeIsPricedWhateverTheActivations() {
    Network network = problem.network();
    BitChoices bits = BitChoices.PAPER;
    CostTable table = sizeTable(network);
    BudgetLimit limit = new BudgetLimit(network.weights() / 2.0, 4.0 * network.weights());
    SearchSettings settings =
        new SearchSettings(
            network,
            List.of(new ResourceBudget(table, limit)),
            bits,
            bits,
            Pinning.FIRST_AND_LAST,
            Reward.ACCURACY,
            1,
            1);
    Decisions decisions = new Decisions(settings);
    BudgetFitter fitter = new BudgetFitter(decisions, settings.budgets());
    Policy fitted = fitter.fit(decisions.uniform(1));
    assertTrue(table.cost(fitted) <= limit.limit());
    assertTrue(fitted.layers().stream().allMatch(b -> b.activations().equals(BitWidth.FLOAT)));
  }

  @Test
  void severalBudgetsAreAllMetAndAMissedOneIsNamed() {
    Network network = problem.network();
    CostTable size = sizeTable(network);
    SearchSettings paper = problem.settings(0.6, 1, 1);
    for (double share : new double[] {0.7, 0.4, 0.31}) {
      double eight = size.cost(BudgetLimit.referencePolicy(Resource.LATENCY, network, size));
      SearchSettings settings = with(paper, new ResourceBudget(size, limit(share * eight, eight)));
      Decisions decisions = new Decisions(settings);
      BudgetFitter fitter = new BudgetFitter(decisions, settings.budgets());
      for (int i = 0; i < 20; i++) {
        Policy fitted = fitter.fit(decisions.policy(actions(decisions.size())));
        assertTrue(size.cost(fitted) <= share * eight);
        assertTrue(problem.table().cost(fitted) <= paper.mainBudget().budget().limit());
      }
    }
    SearchSettings impossible = with(paper, new ResourceBudget(size, limit(1, 100)));
    HaqException e = assertThrows(HaqException.class, () -> new SearchSpace(impossible));
    assertEquals(Reason.BUDGET_INFEASIBLE, e.reason());
    assertEquals("MODEL_SIZE", e.details().get("resource"));
    assertTrue(e.getMessage().startsWith("model size budget 1.00000 B"), e.getMessage());
  }

  @Test
  void activationsAreSparedWhereOnlyTheModelIsTooLarge() {
    CostTable size = sizeTable(problem.network());
    SearchSettings paper = problem.settings(1, 1, 1);
    Decisions free = new Decisions(paper);
    double eight = size.cost(free.uniform(1));
    SearchSettings settings = with(paper, new ResourceBudget(size, limit(eight / 2, eight)));
    Policy fitted = new BudgetFitter(free, settings.budgets()).fit(free.uniform(1));
    assertTrue(fitted.layers().stream().allMatch(b -> b.activations().bits() == 8));
  }

  private static BudgetLimit limit(double limit, double reference) {
    return new BudgetLimit(limit, reference);
  }

  private static SearchSettings with(SearchSettings paper, ResourceBudget second) {
    return new SearchSettings(
        paper.network(),
        List.of(paper.mainBudget(), second),
        paper.weightBits(),
        paper.activationBits(),
        paper.pinning(),
        paper.reward(),
        1,
        1);
  }

  private CostTable sizeTable(Network network) {
    BitChoices bits = BitChoices.PAPER;
    double[] values = new double[network.size() * bits.size() * bits.size()];
    int cell = 0;
    for (int layer = 0; layer < network.size(); layer++) {
      for (int w : bits.bits()) {
        for (int a = 0; a < bits.size(); a++) {
          values[cell++] = w * (double) network.layer(layer).weights() / 8;
        }
      }
    }
    return new CostTable(
        Resource.MODEL_SIZE,
        problem.table().layers(),
        bits,
        bits,
        values,
        new double[0],
        false,
        40);
  }

  private record Fixture(Decisions decisions, BudgetFitter fitter, double limit) {}

  private Fixture fixture(double ratio, BitChoices choices) {
    SearchSettings paper = problem.settings(ratio, 1, 1);
    SearchSettings settings =
        new SearchSettings(
            paper.network(),
            paper.budgets(),
            choices,
            choices,
            paper.pinning(),
            Reward.ACCURACY,
            1,
            1);
    Decisions decisions = new Decisions(settings);
    return new Fixture(
        decisions,
        new BudgetFitter(decisions, settings.budgets()),
        settings.mainBudget().budget().limit());
  }

  private static double cost(Fixture at, Policy policy) {
    return at.fitter.budgets().get(0).cost(policy);
  }

  private List<Double> actions(int size) {
    List<Double> actions = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      actions.add(random.nextDouble());
    }
    return actions;
  }
}
