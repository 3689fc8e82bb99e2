package dev.haq.agent.search;

import dev.haq.model.HaqException;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Arrays;
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

  /** Of shares that are added up and taken off again. */
  private static final double ROUNDING = 1e-12;

  /** Halvings of what is open about a budget that would be large enough. */
  private static final int BISECTIONS = 20;

  private final Decisions decisions;
  private final List<ResourceBudget> budgets;
  private final List<List<LayerBits>> widths; // [layer], narrow ones first
  private final double[][][] costs; // [layer][width][budget], in the resource's unit
  private final Optional<Policy> found;

  Feasibility(Decisions decisions, List<ResourceBudget> budgets) {
    this.decisions = decisions;
    this.budgets = budgets;
    Policy narrowest = decisions.uniform(0);
    widths = new ArrayList<>();
    costs = new double[narrowest.size()][][];
    for (int layer = 0; layer < costs.length; layer++) {
      int at = layer;
      widths.add(decisions.widths(layer));
      costs[layer] =
          widths.get(layer).stream()
              .map(bits -> budgets.stream().mapToDouble(b -> b.table().cost(at, bits)).toArray())
              .toArray(double[][]::new);
    }
    found = find(budgets.get(0).budget().limit());
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
   * A policy within all budgets, the first of which has another limit: the narrowest, the cheapest
   * of a single budget, or what {@link Weighting} finds.
   */
  private Optional<Policy> find(double firstLimit) {
    double[] limits = budgets.stream().mapToDouble(budget -> budget.budget().limit()).toArray();
    limits[0] = firstLimit;
    Policy narrowest = decisions.uniform(0);
    if (isWithin(narrowest, limits)) {
      return Optional.of(narrowest);
    }
    for (ResourceBudget budget : budgets) {
      Policy cheapest = cheapest(budget);
      if (isWithin(cheapest, limits)) {
        return Optional.of(cheapest);
      }
    }
    return budgets.size() == 1 ? Optional.empty() : new Weighting(limits).find();
  }

  private boolean isWithin(Policy policy, double[] limits) {
    for (int b = 0; b < limits.length; b++) {
      if (budgets.get(b).cost(policy) > limits[b]) {
        return false;
      }
    }
    return true;
  }

  /**
   * Looks for a policy within several budgets: the cheapest by a weighted sum of their shares, the
   * weights rising where a budget is overdrawn (multiplicative weights: Plotkin, Shmoys, Tardos,
   * Fast approximation algorithms for fractional packing and covering problems, Mathematics of
   * Operations Research 20, 1995). From each of these on, the way to the cheapest of the budget
   * that is overdrawn most is tried too.
   */
  private final class Weighting {
    private final double[] limits;
    private final double[] weights;

    Weighting(double[] limits) {
      this.limits = limits;
      weights = new double[limits.length];
      Arrays.fill(weights, 1.0 / limits.length);
    }

    Optional<Policy> find() {
      for (int i = 0; i < WEIGHTINGS; i++) {
        int[] chosen = cheapest(weights, limits);
        double[] overdrawn = overdrawn(chosen);
        int[] other = cheapestOf(worst(overdrawn));
        double[] now = overdrawn.clone();
        for (int layer = chosen.length - 1; layer >= 0 && now[worst(now)] > ROUNDING; layer--) {
          for (int b = 0; b < now.length; b++) {
            double[][] cost = costs[layer];
            now[b] += (cost[other[layer]][b] - cost[chosen[layer]][b]) / limits[b];
          }
          chosen[layer] = other[layer];
        }
        Policy policy = policy(chosen);
        if (isWithin(policy, limits)) {
          return Optional.of(policy);
        }
        raise(overdrawn);
      }
      return Optional.empty();
    }

    /** By how much each budget is exceeded, as a share. */
    private double[] overdrawn(int[] chosen) {
      double[] overdrawn = new double[limits.length];
      for (int b = 0; b < overdrawn.length; b++) {
        double cost = budgets.get(b).table().fixed();
        for (int layer = 0; layer < chosen.length; layer++) {
          cost += costs[layer][chosen[layer]][b];
        }
        overdrawn[b] = cost / limits[b] - 1;
      }
      return overdrawn;
    }

    private static int worst(double[] overdrawn) {
      int worst = 0;
      for (int b = 1; b < overdrawn.length; b++) {
        worst = overdrawn[b] > overdrawn[worst] ? b : worst;
      }
      return worst;
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
    return policy(cheapestOf(budgets.indexOf(budget)));
  }

  private int[] cheapestOf(int budget) {
    double[] only = new double[budgets.size()];
    only[budget] = 1;
    double[] ones = new double[only.length];
    Arrays.fill(ones, 1);
    return cheapest(only, ones);
  }

  /**
   * In each layer the widths that cost the least weighted share of the budgets, the narrowest of
   * equals.
   */
  private int[] cheapest(double[] weights, double[] limits) {
    int[] chosen = new int[costs.length];
    for (int layer = 0; layer < chosen.length; layer++) {
      double least = Double.POSITIVE_INFINITY;
      for (int width = 0; width < costs[layer].length; width++) {
        double share = 0;
        for (int b = 0; b < weights.length; b++) {
          share += weights[b] * costs[layer][width][b] / limits[b];
        }
        if (share < least) {
          least = share;
          chosen[layer] = width;
        }
      }
    }
    return chosen;
  }

  private Policy policy(int[] chosen) {
    List<LayerBits> layers = new ArrayList<>();
    for (int layer = 0; layer < chosen.length; layer++) {
      layers.add(widths.get(layer).get(chosen[layer]));
    }
    return new Policy(layers);
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
                "with the others as they are, a %s of %s can be met: raise it, or one of the others",
                name(first),
                reachable(first, smallest)),
        details(first, smallest),
        null);
  }

  /** The least that is found of the first budget's resource within all other budgets: bisection. */
  private Optional<Policy> cheapestWithinOthers() {
    ResourceBudget first = budgets.get(0);
    Optional<Policy> raised = find(Double.MAX_VALUE);
    double refused = first.budget().limit();
    for (int i = 0; i < BISECTIONS && raised.isPresent(); i++) {
      double limit = (refused + first.cost(raised.get())) / 2;
      Optional<Policy> cheaper = find(limit);
      if (cheaper.isPresent()) {
        raised = cheaper;
      } else {
        refused = limit;
      }
    }
    return raised;
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
        "%s %.6g %s (ratio %.4f) cannot be met: the smallest reachable is %s",
        name(missed),
        budget.limit(),
        unit,
        budget.ratio(budget.limit()),
        reachable(missed, smallest));
  }

  /** An amount and its ratio, both rounded up: a budget of what is printed can be met. */
  private static String reachable(ResourceBudget budget, double smallest) {
    MathContext digits = new MathContext(6, RoundingMode.CEILING);
    return String.format(
        Locale.ROOT,
        "%.6g %s (ratio %s)",
        BigDecimal.valueOf(smallest).round(digits),
        budget.resource().unit(),
        BigDecimal.valueOf(budget.budget().ratio(smallest)).setScale(4, RoundingMode.CEILING));
  }

  /** Such as "latency budget of bismo-edge". */
  private static String name(ResourceBudget budget) {
    return budget.resource().name().toLowerCase(Locale.ROOT).replace('_', ' ')
        + " budget"
        + (budget.target().isEmpty() ? "" : " of " + budget.target());
  }
}
