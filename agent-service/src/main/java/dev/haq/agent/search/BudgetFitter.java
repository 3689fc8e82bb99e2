package dev.haq.agent.search;

import dev.haq.model.BitChoices;
import dev.haq.model.BitWidth;
import dev.haq.model.HaqException;
import dev.haq.model.LayerBits;
import dev.haq.model.Operand;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import dev.haq.model.Resource;
import java.util.List;

/**
 * Lowers bit-widths until a policy's cost is within every budget (paper, 3.3: "sequentially
 * decrease the bit-width of each layer").
 *
 * <p>As the reference code does: from the last layer to the first, activations before weights, each
 * by one allowed width, round after round, stopping at the first policy that fits. Pinned widths
 * and those at their narrowest are passed over. Beyond the paper:
 *
 * <ul>
 *   <li>Several budgets at once. While only the model's size is above its budget, activations,
 *       which it does not depend on, are passed over too.
 *   <li>Hardware where fewer bits may cost more. A width that would make the layer dearer is
 *       skipped for the next narrower one that does not. Where no step is left and the policy still
 *       does not fit, the layers, from the last to the first, take the widths of one that does.
 * </ul>
 */
public final class BudgetFitter {
  /** Of a cost, relative: sums in another order differ by as much. */
  private static final double ROUNDING = 1e-12;

  private final Decisions decisions;
  private final List<ResourceBudget> budgets;
  private final Feasibility feasibility;
  private final List<ResourceBudget> binding;

  public BudgetFitter(Decisions decisions, List<ResourceBudget> budgets) {
    this.decisions = decisions;
    this.budgets = List.copyOf(budgets);
    feasibility = new Feasibility(decisions, this.budgets);
    List<ResourceBudget> breakable =
        budgets.stream().filter(budget -> dearestShare(budget) > 1 + ROUNDING).toList();
    binding = breakable.isEmpty() ? this.budgets.subList(0, 1) : breakable;
  }

  /**
   * @throws HaqException {@link Reason#BUDGET_INFEASIBLE} when no policy is known that fits
   */
  public Policy fit(Policy proposed) {
    Policy policy = proposed;
    while (!isMetBy(policy)) {
      Policy before = policy;
      List<ResourceBudget> missed = missed(policy);
      for (int step = decisions.size() - 1; step >= 0 && !missed.isEmpty(); step--) {
        Policy lowered = lowered(policy, decisions.get(step), missed);
        missed = lowered.equals(policy) ? missed : missed(lowered);
        policy = lowered;
      }
      if (policy.equals(before)) {
        return feasibility.towards(policy, feasibility.policy());
      }
    }
    return policy;
  }

  /**
   * The policy with one width lowered, to the widest that costs no more of the budgets which are
   * not met; the same policy where there is none.
   */
  public Policy lowered(Policy policy, Decision decision) {
    return lowered(policy, decision, missed(policy));
  }

  private List<ResourceBudget> missed(Policy policy) {
    return budgets.stream().filter(budget -> !budget.isMetBy(policy)).toList();
  }

  private Policy lowered(Policy policy, Decision decision, List<ResourceBudget> missed) {
    boolean onlySize = missed.stream().allMatch(b -> b.resource() == Resource.MODEL_SIZE);
    if (decision.operand() == Operand.ACTIVATIONS && onlySize) {
      return policy;
    }
    int layer = decision.layer();
    LayerBits bits = policy.get(layer);
    BitChoices choices = decisions.choices(decision);
    for (int c = choices.indexOf(decision.of(policy)) - 1; c >= 0; c--) {
      LayerBits narrower = bits.with(decision.operand(), BitWidth.of(choices.bits().get(c)));
      if (share(missed, layer, narrower) <= share(missed, layer, bits)) {
        return policy.with(layer, narrower);
      }
    }
    return policy;
  }

  private static double share(List<ResourceBudget> some, int layer, LayerBits bits) {
    return some.stream().mapToDouble(budget -> budget.share(layer, bits)).sum();
  }

  /** Whether {@code policy} is within every budget. */
  public boolean isMetBy(Policy policy) {
    return budgets.stream().allMatch(budget -> budget.isMetBy(policy));
  }

  /**
   * @throws HaqException {@link Reason#BUDGET_INFEASIBLE}, see {@link Feasibility#policy}
   */
  public void checkFeasible() {
    feasibility.policy();
  }

  /** What has to be met, at least one. */
  public List<ResourceBudget> budgets() {
    return budgets;
  }

  /**
   * Those of the budgets that some policy breaks: the others do not matter. The first where there
   * is none.
   */
  public List<ResourceBudget> binding() {
    return binding;
  }

  /** What the dearest widths of every layer take of a budget: not always the widest. */
  private double dearestShare(ResourceBudget budget) {
    double share = budget.fixedShare();
    for (int layer = 0; layer < decisions.layers(); layer++) {
      int at = layer;
      share +=
          decisions.widths(layer).stream()
              .mapToDouble(bits -> budget.share(at, bits))
              .max()
              .orElseThrow();
    }
    return share;
  }
}
