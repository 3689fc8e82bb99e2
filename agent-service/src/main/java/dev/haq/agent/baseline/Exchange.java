package dev.haq.agent.baseline;

import dev.haq.agent.search.Decision;
import dev.haq.agent.search.Decisions;
import dev.haq.agent.search.ResourceBudget;
import dev.haq.agent.search.SearchSpace;
import dev.haq.model.BitWidth;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Steps of one width at a time, by what they are believed to cost in accuracy: down to the budget,
 * up into what is left of it, and trades of the one for the other.
 */
final class Exchange {
  private static final int NONE = -1;
  private static final double TINY = 1e-12;

  private final SearchSpace space;
  private final Decisions decisions;
  private final List<ResourceBudget> budgets; // those that the widest policy breaks
  private final double[][] losses; // [decision][choice]

  Exchange(SearchSpace space, DecisionLoss loss) {
    this.space = space;
    decisions = space.decisions();
    budgets = space.budget().binding();
    losses = new double[decisions.size()][];
    for (int d = 0; d < losses.length; d++) {
      List<Integer> choices = choices(d);
      losses[d] = new double[choices.size()];
      for (int c = 0; c < choices.size(); c++) {
        losses[d][c] = loss.of(decisions.get(d), BitWidth.of(choices.get(c)));
      }
    }
  }

  private List<Integer> choices(int decision) {
    return decisions.actions(decisions.get(decision).operand()).choices().bits();
  }

  /** From the widest policy down to the budget, then up into what the last step left free. */
  Policy descended() {
    return filled(new Walk(decisions.uniform(1)), NONE);
  }

  /** A policy brought to the budget from where it is, down or up. */
  Policy fitted(Policy policy) {
    return filled(new Walk(policy), NONE);
  }

  /**
   * The policies in which one decision is changed by a step and the others make up for it, those
   * believed to lose least first.
   */
  List<Policy> neighbours(Policy policy) {
    Map<Policy, Double> found = new LinkedHashMap<>();
    for (int d = 0; d < decisions.size(); d++) {
      for (int direction : new int[] {-1, 1}) {
        Walk walk = new Walk(policy);
        int choice = walk.nextChoice(d, direction);
        if (choice != NONE) {
          walk.take(d, choice);
          Policy neighbour = filled(walk, d);
          found.put(neighbour, loss(neighbour));
        }
      }
    }
    found.remove(policy);
    List<Policy> sorted = new ArrayList<>(found.keySet());
    sorted.sort(Comparator.comparingDouble(found::get));
    return sorted;
  }

  /** What a policy is believed to lose. */
  double loss(Policy policy) {
    double sum = 0;
    for (int d = 0; d < decisions.size(); d++) {
      Decision decision = decisions.get(d);
      int bits = policy.get(decision.layer()).of(decision.operand()).bits();
      sum += losses[d][choices(d).indexOf(bits)];
    }
    return sum;
  }

  /**
   * Brought to the budget: lowers the width that loses least for the cost it saves until it is met,
   * then widens the one that gains most for its cost as long as one fits. What a step saves of a
   * budget that is met already is worth nothing.
   *
   * @param kept a decision to leave alone, or {@link #NONE}
   */
  private Policy filled(Walk walk, int kept) {
    boolean lowers = true;
    while (lowers && !walk.fits()) {
      lowers = walk.step(-1, kept);
    }
    boolean widens = lowers;
    while (widens) {
      widens = walk.step(1, kept);
    }
    return space.budget().fit(walk.policy()); // which changes nothing but what rounding left
  }

  /** A policy on its way, with its costs kept up to date. */
  private final class Walk {
    private final LayerBits[] bits;
    private final int[] choice = new int[losses.length];
    private final double[] costs = new double[budgets.size()]; // shares of the budgets

    Walk(Policy policy) {
      bits = policy.layers().toArray(new LayerBits[0]);
      for (int d = 0; d < choice.length; d++) {
        Decision decision = decisions.get(d);
        choice[d] = choices(d).indexOf(bits[decision.layer()].of(decision.operand()).bits());
      }
      for (int b = 0; b < costs.length; b++) {
        costs[b] = budgets.get(b).cost(policy) / budgets.get(b).budget().limit();
      }
    }

    Policy policy() {
      return new Policy(List.of(bits));
    }

    boolean fits() {
      for (double cost : costs) {
        if (cost > 1) {
          return false;
        }
      }
      return true;
    }

    /** The best step in a direction; whether there was one. */
    boolean step(int direction, int kept) {
      int best = NONE;
      double bestRate = Double.POSITIVE_INFINITY;
      for (int d = 0; d < choice.length; d++) {
        int next = d == kept ? NONE : nextChoice(d, direction);
        if (next == NONE) {
          continue;
        }
        double cost = cost(d, next, direction);
        double loss = losses[d][next] - losses[d][choice[d]];
        boolean allowed = direction < 0 ? cost < 0 : loss < 0 && fitsWith(d, next);
        double rate = loss / Math.max(Math.abs(cost), TINY);
        if (allowed && rate < bestRate) {
          best = d;
          bestRate = rate;
        }
      }
      if (best != NONE) {
        take(best, nextChoice(best, direction));
      }
      return best != NONE;
    }

    /**
     * The nearest choice in a direction that changes the cost that counts; where none does, the
     * nearest.
     *
     * @param direction -1 narrower, 1 wider
     * @return {@link #NONE} where there is none
     */
    int nextChoice(int d, int direction) {
      int nearest = choice[d] + direction;
      if (nearest < 0 || nearest >= losses[d].length) {
        return NONE;
      }
      for (int c = nearest; c >= 0 && c < losses[d].length; c += direction) {
        if (cost(d, c, direction) != 0) {
          return c;
        }
      }
      return nearest;
    }

    /**
     * What a choice adds to the shares of all budgets; on the way down to those that are not met.
     */
    private double cost(int d, int c, int direction) {
      boolean all = direction > 0 || fits();
      double sum = 0;
      for (int b = 0; b < costs.length; b++) {
        sum += all || costs[b] > 1 ? added(b, d, c) : 0;
      }
      return sum;
    }

    private double added(int b, int d, int c) {
      ResourceBudget budget = budgets.get(b);
      int layer = decisions.get(d).layer();
      double more =
          budget.table().cost(layer, with(d, c)) - budget.table().cost(layer, bits[layer]);
      return more / budget.budget().limit();
    }

    private LayerBits with(int d, int c) {
      Decision decision = decisions.get(d);
      return bits[decision.layer()].with(decision.operand(), BitWidth.of(choices(d).get(c)));
    }

    private boolean fitsWith(int d, int c) {
      for (int b = 0; b < costs.length; b++) {
        if (costs[b] + added(b, d, c) > 1) {
          return false;
        }
      }
      return true;
    }

    void take(int d, int c) {
      for (int b = 0; b < costs.length; b++) {
        costs[b] += added(b, d, c);
      }
      bits[decisions.get(d).layer()] = with(d, c);
      choice[d] = c;
    }
  }
}
