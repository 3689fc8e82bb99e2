package dev.haq.agent.search;

import dev.haq.model.HaqException;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Whether budgets can be met, and what they would have to be where they cannot. Of one budget the
 * answer is exact: the cheapest widths of each layer meet it, or nothing does. Of several it may
 * miss a policy that only just fits.
 */
final class Feasibility {
  /** Weightings of the budgets that are tried to find a policy within all of them. */
  private static final int WEIGHTINGS = 64;

  /** Halvings of what is open about a budget that would be large enough. */
  private static final int BISECTIONS = 20;

  private final Decisions decisions;
  private final List<ResourceBudget> budgets;
  private final Optional<Policy> found;

  Feasibility(Decisions decisions, List<ResourceBudget> budgets) {
    this.decisions = decisions;
    this.budgets = budgets;
    found =
        budgets.size() == 1
            ? Optional.of(cheapest(budgets.get(0))).filter(this::isMetBy)
            : new Weighting().find();
  }

  /**
   * A policy within every budget.
   *
   * @throws HaqException {@link Reason#BUDGET_INFEASIBLE} where none is known. The message names
   *     each budget that cannot be met; where each can be, it says what the first would have to be
   *     beside the others, as far as that is known. The details hold, of the first named, {@code
   *     resource}, and {@code smallest_reachable}, in the resource's unit, {@code
   *     smallest_reachable_ratio}, and, of several targets, {@code target}.
   */
  Policy policy() {
    return found.orElseThrow(this::infeasible);
  }

  private boolean isMetBy(Policy policy) {
    return budgets.stream().allMatch(budget -> budget.isMetBy(policy));
  }

  /** One policy with another's widths, layer by layer from the last on, until the budgets hold. */
  Policy towards(Policy from, Policy to) {
    Policy policy = from;
    for (int layer = from.size() - 1; layer >= 0 && !isMetBy(policy); layer--) {
      policy = policy.with(layer, to.get(layer));
    }
    return policy;
  }

  /**
   * Looks for a policy within several budgets: the cheapest by a weighted sum of their shares, the
   * weights rising where a budget is overdrawn (multiplicative weights: Plotkin, Shmoys, Tardos,
   * Fast approximation algorithms for fractional packing and covering problems, Mathematics of
   * Operations Research 20, 1995). From each of these on, the way to the cheapest of the budget
   * that is overdrawn most is tried too. It may miss a policy that only just fits.
   */
  private final class Weighting {
    private final double[] weights = new double[budgets.size()];

    Weighting() {
      Arrays.fill(weights, 1.0 / budgets.size());
    }

    Optional<Policy> find() {
      for (int i = 0; i < WEIGHTINGS; i++) {
        Policy policy = cheapest(weights);
        double[] overdrawn =
            budgets.stream().mapToDouble(budget -> budget.share(policy) - 1).toArray();
        int worst = 0;
        for (int b = 1; b < overdrawn.length; b++) {
          worst = overdrawn[b] > overdrawn[worst] ? b : worst;
        }
        Policy traded = towards(policy, cheapest(budgets.get(worst)));
        if (isMetBy(traded)) {
          return Optional.of(traded);
        }
        raise(overdrawn);
      }
      return Optional.empty();
    }

    private void raise(double[] overdrawn) {
      double largest = Arrays.stream(overdrawn).map(Math::abs).max().orElseThrow();
      double sum = 0;
      for (int b = 0; b < weights.length; b++) {
        weights[b] *= StrictMath.exp(overdrawn[b] / largest);
        sum += weights[b];
      }
      for (int b = 0; b < weights.length; b++) {
        weights[b] /= sum;
      }
    }
  }

  private Policy cheapest(ResourceBudget budget) {
    double[] only = new double[budgets.size()];
    only[budgets.indexOf(budget)] = 1;
    return cheapest(only);
  }

  /**
   * In each layer the widths that cost the least weighted share of the budgets, the narrowest of
   * equals.
   */
  private Policy cheapest(double[] weights) {
    Policy cheapest = decisions.uniform(0);
    for (int layer = 0; layer < cheapest.size(); layer++) {
      int at = layer;
      LayerBits least =
          decisions.widths(layer).stream()
              .min(Comparator.comparingDouble(bits -> share(weights, at, bits)))
              .orElseThrow();
      cheapest = cheapest.with(layer, least);
    }
    return cheapest;
  }

  private double share(double[] weights, int layer, LayerBits bits) {
    double share = 0;
    for (int b = 0; b < weights.length; b++) {
      share += weights[b] == 0 ? 0 : weights[b] * budgets.get(b).share(layer, bits);
    }
    return share;
  }

  private HaqException infeasible() {
    List<ResourceBudget> missed =
        budgets.stream().filter(budget -> !budget.isMetBy(cheapest(budget))).toList();
    if (missed.isEmpty()) {
      return jointlyInfeasible();
    }
    ResourceBudget first = missed.get(0);
    double smallest = first.cost(cheapest(first));
    return new HaqException(
        Reason.BUDGET_INFEASIBLE,
        missed.stream().map(this::refusal).collect(Collectors.joining("; "))
            + "; raise the budget or allow fewer bits",
        details(first, smallest),
        null);
  }

  private HaqException jointlyInfeasible() {
    String message =
        "no policy is known that meets all budgets, though each can be met by itself; ";
    ResourceBudget first = budgets.get(0);
    Optional<Policy> raised = cheapestWithinOthers();
    if (raised.isEmpty()) {
      return new HaqException(Reason.BUDGET_INFEASIBLE, message + "raise one of them");
    }
    double smallest = first.cost(raised.get());
    return new HaqException(
        Reason.BUDGET_INFEASIBLE,
        message
            + String.format(
                Locale.ROOT,
                "with the others as they are, a %s of %.6g %s (ratio %.4f) can be met: raise it, or one of the others",
                name(first),
                smallest,
                first.resource().unit(),
                first.budget().ratio(smallest)),
        details(first, smallest),
        null);
  }

  /** The least that is found of the first budget's resource within all other budgets: bisection. */
  private Optional<Policy> cheapestWithinOthers() {
    ResourceBudget first = budgets.get(0);
    Optional<Policy> found = raisedTo(Double.MAX_VALUE).found;
    double refused = first.budget().limit();
    for (int i = 0; i < BISECTIONS && found.isPresent(); i++) {
      double limit = (refused + first.cost(found.get())) / 2;
      Optional<Policy> cheaper = raisedTo(limit).found;
      if (cheaper.isPresent()) {
        found = cheaper;
      } else {
        refused = limit;
      }
    }
    return found;
  }

  /** With another limit of the first budget. */
  private Feasibility raisedTo(double limit) {
    ResourceBudget first = budgets.get(0);
    List<ResourceBudget> raised = new ArrayList<>(budgets);
    BudgetLimit other = new BudgetLimit(limit, first.budget().reference());
    raised.set(0, new ResourceBudget(first.table(), other, first.target()));
    return new Feasibility(decisions, raised);
  }

  private static Map<String, String> details(ResourceBudget budget, double smallest) {
    Map<String, String> details = new HashMap<>();
    details.put("resource", budget.resource().name());
    details.put("smallest_reachable", Double.toString(smallest));
    details.put("smallest_reachable_ratio", Double.toString(budget.budget().ratio(smallest)));
    if (!budget.target().isEmpty()) {
      details.put("target", budget.target());
    }
    return details;
  }

  private String refusal(ResourceBudget missed) {
    BudgetLimit budget = missed.budget();
    double smallest = missed.cost(cheapest(missed));
    String unit = missed.resource().unit();
    return String.format(
        Locale.ROOT,
        "%s %.6g %s (ratio %.4f) cannot be met: the smallest reachable is %.6g %s (ratio %.4f)",
        name(missed),
        budget.limit(),
        unit,
        budget.ratio(budget.limit()),
        smallest,
        unit,
        budget.ratio(smallest));
  }

  /** Such as "latency budget of bismo-edge". */
  private static String name(ResourceBudget budget) {
    return budget.resource().name().toLowerCase(Locale.ROOT).replace('_', ' ')
        + " budget"
        + (budget.target().isEmpty() ? "" : " of " + budget.target());
  }
}
