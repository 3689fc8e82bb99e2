package dev.haq.agent.search;

import dev.haq.model.BitWidth;
import dev.haq.model.CostTable;
import dev.haq.model.HaqException;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Lowers bit-widths until a policy's cost is within the budget (paper, 3.3: "sequentially decrease
 * the bit-width of each layer").
 *
 * <p>As the reference code does: from the last layer to the first, activations before weights, each
 * by one allowed width, round after round, stopping at the first policy that fits. Pinned widths
 * and those at their narrowest are passed over.
 */
public final class BudgetFitter {
  private final Decisions decisions;
  private final CostTable table;
  private final BudgetLimit budget;

  public BudgetFitter(Decisions decisions, CostTable table, BudgetLimit budget) {
    this.decisions = decisions;
    this.table = table;
    this.budget = budget;
  }

  /**
   * @throws HaqException {@link Reason#BUDGET_INFEASIBLE} when not even the narrowest widths fit
   */
  public Policy fit(Policy proposed) {
    Policy policy = proposed;
    while (cost(policy) > budget.limit()) {
      Policy before = policy;
      for (int step = decisions.size() - 1; step >= 0 && cost(policy) > budget.limit(); step--) {
        policy = lowered(policy, decisions.get(step));
      }
      if (policy.equals(before)) {
        checkFeasible();
        throw new IllegalStateException("no bit-width is left to lower: " + policy);
      }
    }
    return policy;
  }

  /** Cost of {@code policy} of the budget's resource, in its unit. */
  public double cost(Policy policy) {
    return table.cost(policy);
  }

  /** The cost with every free decision at its narrowest width. */
  public double smallestReachable() {
    return cost(decisions.uniform(0));
  }

  /**
   * Refuses a budget that no policy meets; the error's details hold {@code smallest_reachable}, in
   * the resource's unit, and {@code smallest_reachable_ratio}.
   *
   * @throws HaqException {@link Reason#BUDGET_INFEASIBLE}
   */
  public void checkFeasible() {
    double smallest = smallestReachable();
    if (smallest <= budget.limit()) {
      return;
    }
    String unit = table.resource().unit();
    throw new HaqException(
        Reason.BUDGET_INFEASIBLE,
        String.format(
            Locale.ROOT,
            "budget %.6g %s (ratio %.4f) cannot be met: the smallest reachable is %.6g %s (ratio %.4f); raise the budget or allow fewer bits",
            budget.limit(),
            unit,
            budget.ratio(budget.limit()),
            smallest,
            unit,
            budget.ratio(smallest)),
        Map.of(
            "smallest_reachable", Double.toString(smallest),
            "smallest_reachable_ratio", Double.toString(budget.ratio(smallest))),
        null);
  }

  private Policy lowered(Policy policy, Decision decision) {
    BitWidth width = policy.get(decision.layer()).of(decision.operand());
    OptionalInt narrower = decisions.actions(decision.operand()).choices().below(width);
    return narrower.isEmpty()
        ? policy
        : Decisions.with(policy, decision, BitWidth.of(narrower.getAsInt()));
  }
}
