package dev.haq.agent.baseline;

import dev.haq.agent.search.Decision;
import dev.haq.agent.search.Decisions;
import dev.haq.agent.search.ResourceBudget;
import dev.haq.agent.search.SearchSpace;
import dev.haq.model.BitWidth;
import dev.haq.model.Policy;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Steps of one width at a time, by what they are believed to cost in accuracy: down to the budget,
 * up into what is left of it, and trades of the one for the other.
 */
final class Exchange {
  private static final double TINY = 1e-12;

  private final SearchSpace space;
  private final DecisionLoss loss;

  Exchange(SearchSpace space, DecisionLoss loss) {
    this.space = space;
    this.loss = loss;
  }

  /**
   * A policy one step away.
   *
   * @param loss what the step is believed to add to the loss
   * @param cost what it adds to the cost, see {@link #cost}
   */
  private record Step(Policy policy, Decision decision, double loss, double cost) {}

  /** From the widest policy down to the budget, then up into what the last step left free. */
  Policy descended() {
    return raised(lowered(space.decisions().uniform(1), Optional.empty()), Optional.empty());
  }

  /**
   * The policies in which one decision is changed by a step and the others make up for it, those
   * believed to lose least first.
   */
  List<Policy> neighbours(Policy policy) {
    Map<Policy, Double> found = new LinkedHashMap<>();
    for (int i = 0; i < space.decisions().size(); i++) {
      Decision decision = space.decisions().get(i);
      for (int direction : new int[] {-1, 1}) {
        step(policy, decision, direction)
            .map(step -> filled(step.policy(), decision))
            .filter(space.budget()::isMetBy)
            .ifPresent(neighbour -> found.put(neighbour, loss(neighbour)));
      }
    }
    found.remove(policy);
    List<Policy> sorted = new ArrayList<>(found.keySet());
    sorted.sort(Comparator.comparingDouble(found::get));
    return sorted;
  }

  /** Brought to the budget, from above or below, without a change of {@code kept}. */
  Policy filled(Policy policy, Decision kept) {
    return raised(lowered(policy, Optional.of(kept)), Optional.of(kept));
  }

  /** Lowers the width that loses least for the cost it saves, until the budget is met. */
  private Policy lowered(Policy policy, Optional<Decision> but) {
    Policy now = policy;
    while (!space.budget().isMetBy(now)) {
      Optional<Step> best =
          steps(now, -1, but).stream()
              .filter(step -> step.cost() < 0)
              .min(Comparator.comparingDouble(step -> step.loss() / -step.cost()));
      if (best.isEmpty()) {
        return space.budget().fit(now);
      }
      now = best.get().policy();
    }
    return now;
  }

  /** Widens the width that gains most for its cost, as long as one fits. */
  private Policy raised(Policy policy, Optional<Decision> but) {
    Policy now = policy;
    while (true) {
      Optional<Step> best =
          steps(now, 1, but).stream()
              .filter(step -> step.loss() < 0 && space.budget().isMetBy(step.policy()))
              .min(Comparator.comparingDouble(step -> step.loss() / Math.max(step.cost(), TINY)));
      if (best.isEmpty()) {
        return now;
      }
      now = best.get().policy();
    }
  }

  /** What a policy is believed to lose. */
  double loss(Policy policy) {
    double sum = 0;
    for (int i = 0; i < space.decisions().size(); i++) {
      Decision decision = space.decisions().get(i);
      sum += loss.of(decision, policy.get(decision.layer()).of(decision.operand()));
    }
    return sum;
  }

  private List<Step> steps(Policy policy, int direction, Optional<Decision> but) {
    List<Step> steps = new ArrayList<>();
    for (int i = 0; i < space.decisions().size(); i++) {
      Decision decision = space.decisions().get(i);
      if (but.isEmpty() || !but.get().equals(decision)) {
        step(policy, decision, direction).ifPresent(steps::add);
      }
    }
    return steps;
  }

  /**
   * The nearest width in a direction that changes the cost; where none does, the nearest.
   *
   * @param direction -1 narrower, 1 wider
   */
  private Optional<Step> step(Policy policy, Decision decision, int direction) {
    List<Integer> choices = space.decisions().actions(decision.operand()).choices().bits();
    BitWidth width = policy.get(decision.layer()).of(decision.operand());
    double before = cost(policy);
    Optional<Step> nearest = Optional.empty();
    for (int at = choices.indexOf(width.bits()) + direction;
        at >= 0 && at < choices.size();
        at += direction) {
      BitWidth other = BitWidth.of(choices.get(at));
      Policy changed = Decisions.with(policy, decision, other);
      double worse = loss.of(decision, other) - loss.of(decision, width);
      Step step = new Step(changed, decision, worse, cost(changed) - before);
      if (step.cost() != 0) {
        return Optional.of(step);
      }
      nearest = nearest.isPresent() ? nearest : Optional.of(step);
    }
    return nearest;
  }

  /** Sum of the shares of the budgets. */
  private double cost(Policy policy) {
    double all = 0;
    for (ResourceBudget budget : space.budget().budgets()) {
      all += budget.cost(policy) / budget.budget().limit();
    }
    return all;
  }
}
