package dev.haq.agent.losses;

import dev.haq.agent.search.Decision;
import dev.haq.agent.search.DecisionLoss;
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
public final class Exchange {
  private static final int NONE = -1;
  private static final double TINY = 1e-12;

  private final SearchSpace space;
  private final Decisions decisions;
  private final List<ResourceBudget> budgets; // those that some policy breaks
  private final double[][] losses; // [decision][choice]

  public Exchange(SearchSpace space, DecisionLoss loss) {
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
    return decisions.choices(decisions.get(decision)).bits();
  }

  /** From the widest policy down to the budget, then up into what the last step left free. */
  public Policy descended() {
    return filled(new Walk(decisions.uniform(1)), NONE);
  }

  /** A policy brought to the budget from where it is, down or up. */
  public Policy fitted(Policy policy) {
    return filled(new Walk(policy), NONE);
  }

  /**
   * The policies in which one decision is changed by a step and the others make up for it, those
   * believed to lose least first.
   */
  public List<Policy> neighbours(Policy policy) {
    Map<Policy, Double> found = new LinkedHashMap<>();
    for (int d = 0; d < decisions.size(); d++) {
      for (int direction : new int[] {-1, 1}) {
        Walk walk = new Walk(policy);
        int choice = walk.nextChoice(d, direction);
        if (choice != NONE) {
          walk.take(d, choice);
          LayerBits changed = walk.bits[decisions.get(d).layer()];
          Policy neighbour = filled(walk, d);
          if (isKept(decisions.get(d), changed, neighbour)) {
            found.put(neighbour, loss(neighbour));
          }
        }
      }
    }
    found.remove(policy);
    List<Policy> sorted = new ArrayList<>(found.keySet());
    sorted.sort(Comparator.comparingDouble(found::get));
    return sorted;
  }

  private static boolean isKept(Decision decision, LayerBits changed, Policy neighbour) {
    return decision.of(neighbour).equals(changed.of(decision.operand()));
  }

  /** What a policy is believed to lose. */
  public double loss(Policy policy) {
    double sum = 0;
    for (int d = 0; d < decisions.size(); d++) {
      sum += losses[d][choices(d).indexOf(decisions.get(d).of(policy).bits())];
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
    // Mends what rounding left, budgets that do not bind, and where no step was cheaper.
    return space.budget().fit(walk.policy());
  }

  /** A policy on its way, with its costs kept up to date. */
  private final class Walk {
    private final LayerBits[] bits;
    private final int[] choice = new int[losses.length];
    private final double[] costs = new double[budgets.size()]; // shares of the budgets

    Walk(Policy policy) {
      bits = policy.layers().toArray(new LayerBits[0]);
      for (int d = 0; d < choice.length; d++) {
        choice[d] = choices(d).indexOf(decisions.get(d).of(policy).bits());
      }
      for (int b = 0; b < costs.length; b++) {
        costs[b] = budgets.get(b).share(policy);
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
      int bestChoice = NONE;
      double bestRate = Double.POSITIVE_INFINITY;
      for (int d = 0; d < choice.length; d++) {
        int next = d == kept ? NONE : direction < 0 ? cheaper(d) : better(d);
        if (next == NONE) {
          continue;
        }
        double loss = losses[d][next] - losses[d][choice[d]];
        double rate = loss / Math.max(Math.abs(cost(d, next, direction)), TINY);
        if (rate < bestRate) {
          best = d;
          bestChoice = next;
          bestRate = rate;
        }
      }
      if (best != NONE) {
        take(best, bestChoice);
      }
      return best != NONE;
    }

    /** The nearest narrower choice that lowers the cost which counts; {@link #NONE} without. */
    private int cheaper(int d) {
      int c = choice[d] - 1;
      while (c >= 0 && cost(d, c, -1) >= 0) {
        c--;
      }
      return c;
    }

    /** The nearest wider choice that loses less and fits; {@link #NONE} without. */
    private int better(int d) {
      for (int c = choice[d] + 1; c < losses[d].length; c++) {
        if (losses[d][c] < losses[d][choice[d]] && fitsWith(d, c)) {
          return c;
        }
      }
      return NONE;
    }

    /**
     * The nearest choice in a direction whose cost lies in that direction too; where none does, the
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
        if (direction * cost(d, c, direction) > 0) {
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
      int layer = decisions.get(d).layer();
      return budgets.get(b).share(layer, with(d, c)) - budgets.get(b).share(layer, bits[layer]);
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
