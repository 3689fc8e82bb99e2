package dev.haq.agent.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.agent.search.HardwareCosts;
import dev.haq.model.BitChoices;
import dev.haq.model.Budget;
import dev.haq.model.Cost;
import dev.haq.model.CostTable;
import dev.haq.model.HaqException;
import dev.haq.model.Layer;
import dev.haq.model.Network;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import dev.haq.model.Resource;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.IntBinaryOperator;
import org.junit.jupiter.api.Test;

final class SearchPlanTest {
  private static final SessionSpec ONE = SessionLifeTest.SPEC;
  private static final Network NETWORK = new HeldBackends().open(ONE, false).network();
  private static final SessionSpec TWO = two(1.5, 1.4);

  /** Fewer bits cost more, as they may in a measured table. */
  private static final HardwareCosts MEASURED =
      new Measured((w, a) -> 100 - w * a, (w, a) -> w + a);

  private static final HardwareCosts FASTER = new Measured((w, a) -> 80 - w * a, (w, a) -> w + a);

  private static final HardwareCosts THRIFTIER =
      new Measured((w, a) -> 100 - w * a, (w, a) -> w + a - 1);

  @Test
  void aFleetIsPossibleWhereTheNarrowestWidthsAreOverBudget() {
    Fleet fleet = SearchPlan.of(TWO, NETWORK, target -> MEASURED).fleet();
    assertEquals("", fleet.refusal());
    assertEquals(2, fleet.aim(3), "every third episode aims at the fleet");
  }

  @Test
  void aBudgetThatMovedIsNamedWithItsTarget() {
    SessionRecord.Definition created = created(SearchPlan.of(TWO, NETWORK, t -> MEASURED));
    SearchPlan.again(created, TWO, NETWORK, t -> MEASURED);
    HaqException moved =
        assertThrows(
            HaqException.class,
            () ->
                SearchPlan.again(
                    created,
                    TWO,
                    NETWORK,
                    target -> target.name().equals("second") ? FASTER : MEASURED));
    assertEquals(Reason.ILLEGAL_STATE, moved.reason());
    assertTrue(moved.getMessage().contains("budget on second has moved"), moved.getMessage());
  }

  @Test
  void ofSeveralBudgetsAnyThatMovedIsNamed() {
    SessionSpec both =
        within(
            List.of(Budget.ratio(Resource.LATENCY, 1.5), Budget.ratio(Resource.ENERGY, 0.9)),
            List.of());
    SessionRecord.Definition created = created(SearchPlan.of(both, NETWORK, t -> MEASURED));
    assertEquals(2, created.budgets().size());
    SearchPlan.again(created, both, NETWORK, t -> MEASURED);
    HaqException moved =
        assertThrows(
            HaqException.class, () -> SearchPlan.again(created, both, NETWORK, t -> THRIFTIER));
    assertEquals(Reason.ILLEGAL_STATE, moved.reason());
    assertTrue(moved.getMessage().contains("of the ENERGY budget has moved"), moved.getMessage());
  }

  @Test
  void whetherEpisodesAimAtTheFleetIsSettledWhenASessionIsCreated() {
    SearchPlan plan = SearchPlan.of(TWO, NETWORK, t -> MEASURED);
    Fleet refused = new Fleet(plan.fleet().targets(), "as it was thought then");
    SessionRecord.Definition created = created(plan, refused);
    assertEquals(refused, SearchPlan.again(created, TWO, NETWORK, t -> MEASURED).fleet());
  }

  private static SessionRecord.Definition created(SearchPlan plan) {
    return created(plan, plan.fleet());
  }

  private static SessionRecord.Definition created(SearchPlan plan, Fleet fleet) {
    return new SessionRecord.Definition(
        "id", "", "{}", List.of(), plan.budgets(), false, fleet, Instant.EPOCH);
  }

  private static SessionSpec two(double first, double second) {
    SessionSpec.Target further =
        new SessionSpec.Target(
            new TargetHandle("second", new byte[] {2}),
            List.of(Budget.ratio(Resource.LATENCY, second)));
    return within(List.of(Budget.ratio(Resource.LATENCY, first)), List.of(further));
  }

  private static SessionSpec within(List<Budget> budgets, List<SessionSpec.Target> further) {
    return new SessionSpec(
        ONE.name(),
        ONE.model(),
        ONE.data(),
        new TargetHandle("first", new byte[] {1}),
        budgets,
        ONE.agent(),
        ONE.limits(),
        ONE.seed(),
        ONE.recipe(),
        ONE.weightBits(),
        ONE.activationBits(),
        ONE.pinning(),
        ONE.layerWidths(),
        ONE.ddpg(),
        ONE.reward(),
        ONE.pace(),
        further,
        Optional.empty());
  }

  /**
   * @param seconds of every layer, by the widths of its weights and activations
   * @param joules likewise
   */
  private record Measured(IntBinaryOperator seconds, IntBinaryOperator joules)
      implements HardwareCosts {
    @Override
    public CostTable table(Resource resource) {
      BitChoices bits = BitChoices.TABLE;
      double[] values = new double[NETWORK.size() * bits.size() * bits.size()];
      int cell = 0;
      for (int layer = 0; layer < NETWORK.size(); layer++) {
        for (int w : bits.bits()) {
          for (int a : bits.bits()) {
            values[cell++] = (resource == Resource.ENERGY ? joules : seconds).applyAsInt(w, a);
          }
        }
      }
      List<String> names = NETWORK.layers().stream().map(Layer::name).toList();
      return new CostTable(resource, names, bits, bits, values, new double[0], false);
    }

    @Override
    public Cost simulate(Policy policy) {
      return new Cost(
          0,
          table(Resource.LATENCY).cost(policy),
          OptionalDouble.of(table(Resource.ENERGY).cost(policy)),
          0);
    }
  }
}
