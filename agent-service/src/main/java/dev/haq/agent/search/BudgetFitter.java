package dev.haq.agent.search;

import dev.haq.model.BitChoices;
import dev.haq.model.BitWidth;
import dev.haq.model.HaqException;
import dev.haq.model.LayerBits;
import dev.haq.model.Operand;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import dev.haq.model.Resource;
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
  /** Weightings of the budgets that are tried to find a policy within all of them. */
  private static final int WEIGHTINGS = 64;

  /** Halvings of what is open about a budget that would be large enough. */
  private static final int BISECTIONS = 20;

  private final Decisions decisions;
  private final List<ResourceBudget> budgets;

  public BudgetFitter(Decisions decisions, List<ResourceBudget> budgets) {
    this.decisions = decisions;
    this.budgets = List.copyOf(budgets);
  }

  /**
   * @throws HaqException {@link Reason#BUDGET_INFEASIBLE} when no policy is known that fits
   */
  public Policy fit(Policy proposed) {
    Policy policy = proposed;
    while (!isMetBy(policy)) {
      Policy before = policy;
      for (int step = decisions.size() - 1; step >= 0 && !isMetBy(policy); step--) {
        policy = lowered(policy, decisions.get(step));
      }
      if (policy.equals(before)) {
        return onTheWay(policy, reachable().orElseThrow(this::infeasible)).orElseThrow();
      }
    }
    return policy;
  }

  /**
   * The policy with one width lowered, to the widest that costs no more of the budgets which are
   * not met; the same policy where there is none.
   */
  public Policy lowered(Policy policy, Decision decision) {
    List<ResourceBudget> missed = budgets.stream().filter(b -> !b.isMetBy(policy)).toList();
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

  /** Whether {@code policy} is within every budget. */
  public boolean isMetBy(Policy policy) {
    return budgets.stream().allMatch(budget -> budget.isMetBy(policy));
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

  /** A policy within every budget, where one is found. */
  private Optional<Policy> reachable() {
    return budgets.size() == 1
        ? Optional.of(cheapest(budgets.get(0))).filter(this::isMetBy)
        : new Weighting().find();
  }

  /** The first policy that fits when one takes the widths of another, last layer first. */
  private Optional<Policy> onTheWay(Policy from, Policy to) {
    Policy policy = from;
    for (int layer = from.size() - 1; layer >= 0 && !isMetBy(policy); layer--) {
      policy = policy.with(layer, to.get(layer));
    }
    return Optional.of(policy).filter(this::isMetBy);
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
        Optional<Policy> found = onTheWay(policy, cheapest(budgets.get(worst)));
        if (found.isPresent()) {
          return found;
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

  private static double share(List<ResourceBudget> some, int layer, LayerBits bits) {
    return some.stream().mapToDouble(budget -> budget.share(layer, bits)).sum();
  }

  /**
   * Refuses budgets that no policy meets; the message names each. Where each can be met, but no
   * policy is known that meets all, it says what the first would have to be, as far as that is
   * known. The error's details hold, of the first named, {@code resource}, and {@code
   * smallest_reachable}, in the resource's unit, {@code smallest_reachable_ratio}, and, of several
   * targets, {@code target}.
   *
   * @throws HaqException {@link Reason#BUDGET_INFEASIBLE}
   */
  public void checkFeasible() {
    if (!isMetBy(decisions.uniform(0)) && reachable().isEmpty()) {
      throw infeasible();
    }
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
    Optional<Policy> found = raisedTo(Double.MAX_VALUE).reachable();
    double refused = first.budget().limit();
    for (int i = 0; i < BISECTIONS && found.isPresent(); i++) {
      double limit = (refused + first.cost(found.get())) / 2;
      Optional<Policy> cheaper = raisedTo(limit).reachable();
      if (cheaper.isPresent()) {
        found = cheaper;
      } else {
        refused = limit;
      }
    }
    return found;
  }

  /** With another limit of the first budget. */
  private BudgetFitter raisedTo(double limit) {
    ResourceBudget first = budgets.get(0);
    List<ResourceBudget> raised = new ArrayList<>(budgets);
    BudgetLimit other = new BudgetLimit(limit, first.budget().reference());
    raised.set(0, new ResourceBudget(first.table(), other, first.target()));
    return new BudgetFitter(decisions, raised);
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
