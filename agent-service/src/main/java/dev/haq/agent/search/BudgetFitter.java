package dev.haq.agent.search;

import dev.haq.model.BitWidth;
import dev.haq.model.HaqException;
import dev.haq.model.LayerBits;
import dev.haq.model.Operand;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import dev.haq.model.Resource;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Lowers bit-widths until a policy's cost is within every budget (paper, 3.3: "sequentially
 * decrease the bit-width of each layer").
 *
 * <p>As the reference code does: from the last layer to the first, activations before weights, each
 * by one allowed width, round after round, stopping at the first policy that fits. Pinned widths
 * and those at their narrowest are passed over. Beyond the paper: several budgets at once. While
 * only the model's size is above its budget, activations, which it does not depend on, are passed
 * over too. And on hardware where fewer bits may cost more, the narrowest widths are not the
 * cheapest: where they do not fit, each layer gets the pair of widths that costs least.
 */
public final class BudgetFitter {
  private final Decisions decisions;
  private final List<ResourceBudget> budgets;

  public BudgetFitter(Decisions decisions, List<ResourceBudget> budgets) {
    this.decisions = decisions;
    this.budgets = List.copyOf(budgets);
  }

  /**
   * @throws HaqException {@link Reason#BUDGET_INFEASIBLE} when not even the cheapest widths fit
   */
  public Policy fit(Policy proposed) {
    Policy policy = proposed;
    while (!isMetBy(policy)) {
      Policy before = policy;
      for (int step = decisions.size() - 1; step >= 0 && !isMetBy(policy); step--) {
        Decision decision = decisions.get(step);
        if (decision.operand() == Operand.WEIGHTS || activationsMatter(policy)) {
          policy = lowered(policy, decision);
        }
      }
      if (policy.equals(before)) {
        return cheapest().orElseThrow(this::infeasible);
      }
    }
    return policy;
  }

  /** Whether {@code policy} is within every budget. */
  public boolean isMetBy(Policy policy) {
    return budgets.stream().allMatch(budget -> budget.isMetBy(policy));
  }

  private boolean activationsMatter(Policy policy) {
    return budgets.stream()
        .anyMatch(budget -> budget.resource() != Resource.MODEL_SIZE && !budget.isMetBy(policy));
  }

  /** What has to be met, at least one. */
  public List<ResourceBudget> budgets() {
    return budgets;
  }

  /**
   * Those of the budgets that the widest policy breaks: the others hardly matter. The first where
   * it breaks none.
   */
  public List<ResourceBudget> binding() {
    Policy widest = decisions.uniform(1);
    List<ResourceBudget> binding =
        budgets.stream().filter(budget -> !budget.isMetBy(widest)).toList();
    return binding.isEmpty() ? budgets.subList(0, 1) : binding;
  }

  /** A policy that is within every budget, if one is, at the least costs of one or all of them. */
  private Optional<Policy> cheapest() {
    return Stream.concat(budgets.stream().map(List::of), Stream.of(budgets))
        .map(this::cheapest)
        .filter(this::isMetBy)
        .findFirst();
  }

  /**
   * In each layer the widths that cost the least share of some budgets, the narrowest of equals:
   * the least of a resource that any policy takes.
   */
  private Policy cheapest(List<ResourceBudget> some) {
    Policy cheapest = decisions.uniform(0);
    for (int layer = 0; layer < cheapest.size(); layer++) {
      int at = layer;
      LayerBits least =
          decisions.widths(layer).stream()
              .min(Comparator.comparingDouble(bits -> share(some, at, bits)))
              .orElseThrow();
      cheapest = cheapest.with(layer, least);
    }
    return cheapest;
  }

  private static double share(List<ResourceBudget> some, int layer, LayerBits bits) {
    return some.stream()
        .mapToDouble(budget -> budget.table().cost(layer, bits) / budget.budget().limit())
        .sum();
  }

  /**
   * Refuses budgets that no policy meets; the message names each. The error's details hold, of the
   * first, {@code resource}, and {@code smallest_reachable}, in the resource's unit, {@code
   * smallest_reachable_ratio}, and, of several targets, {@code target}.
   *
   * @throws HaqException {@link Reason#BUDGET_INFEASIBLE}
   */
  public void checkFeasible() {
    if (!isMetBy(decisions.uniform(0)) && cheapest().isEmpty()) {
      throw infeasible();
    }
  }

  private HaqException infeasible() {
    List<ResourceBudget> missed =
        budgets.stream().filter(budget -> !budget.isMetBy(cheapest(List.of(budget)))).toList();
    if (missed.isEmpty()) {
      return new HaqException(
          Reason.BUDGET_INFEASIBLE,
          "no policy is known that meets all budgets, though each can be met by itself; raise one of them");
    }
    ResourceBudget first = missed.get(0);
    double smallest = first.cost(cheapest(List.of(first)));
    Map<String, String> details = new HashMap<>();
    details.put("resource", first.resource().name());
    details.put("smallest_reachable", Double.toString(smallest));
    details.put("smallest_reachable_ratio", Double.toString(first.budget().ratio(smallest)));
    if (!first.target().isEmpty()) {
      details.put("target", first.target());
    }
    return new HaqException(
        Reason.BUDGET_INFEASIBLE,
        missed.stream().map(this::refusal).collect(Collectors.joining("; "))
            + "; raise the budget or allow fewer bits",
        details,
        null);
  }

  private String refusal(ResourceBudget missed) {
    BudgetLimit budget = missed.budget();
    double smallest = missed.cost(cheapest(List.of(missed)));
    String unit = missed.resource().unit();
    return String.format(
        Locale.ROOT,
        "%s budget%s %.6g %s (ratio %.4f) cannot be met: the smallest reachable is %.6g %s (ratio %.4f)",
        missed.resource().name().toLowerCase(Locale.ROOT).replace('_', ' '),
        missed.target().isEmpty() ? "" : " of " + missed.target(),
        budget.limit(),
        unit,
        budget.ratio(budget.limit()),
        smallest,
        unit,
        budget.ratio(smallest));
  }

  private Policy lowered(Policy policy, Decision decision) {
    BitWidth width = policy.get(decision.layer()).of(decision.operand());
    OptionalInt narrower = decisions.actions(decision.operand()).choices().below(width);
    return narrower.isEmpty()
        ? policy
        : Decisions.with(policy, decision, BitWidth.of(narrower.getAsInt()));
  }
}
