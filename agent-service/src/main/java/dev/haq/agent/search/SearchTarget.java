package dev.haq.agent.search;

import dev.haq.model.Cost;
import dev.haq.model.Policy;
import java.util.Optional;

/**
 * A hardware target of a search: the hardware in the loop.
 *
 * @param costs of the target
 * @param space of the policies that count for the target, within its budgets
 */
public record SearchTarget(HardwareCosts costs, SearchSpace space) {
  /** Relative; both are sums of the same terms in the same order. */
  private static final double TABLE_TOLERANCE = 1e-9;

  /**
   * Simulates a policy; empty where the target lacks one of its widths.
   *
   * @throws IllegalStateException when the simulation contradicts the cost tables: the budget would
   *     mean nothing
   */
  Optional<TargetCost> price(Policy policy) {
    SearchSettings settings = space.settings();
    if (!settings.budgets().stream().allMatch(budget -> budget.prices(policy))) {
      return Optional.empty();
    }
    Cost cost = costs.simulate(policy);
    for (ResourceBudget budget : settings.budgets()) {
      double simulated = cost.of(budget.resource());
      double expected = budget.cost(policy);
      if (Math.abs(simulated - expected) > TABLE_TOLERANCE * expected) {
        throw new IllegalStateException(
            "the simulator answers "
                + simulated
                + " "
                + budget.resource().unit()
                + " for a policy that its own cost table prices at "
                + expected);
      }
    }
    ResourceBudget main = settings.mainBudget();
    double ratio = main.budget().ratio(cost.of(main.resource()));
    return Optional.of(new TargetCost(cost, ratio, space.admits(policy)));
  }
}
