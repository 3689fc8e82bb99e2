package dev.haq.agent.agents;

import dev.haq.agent.search.Decision;
import dev.haq.agent.search.Decisions;
import dev.haq.agent.search.SearchSpace;
import dev.haq.model.BitWidth;
import dev.haq.model.Operand;
import dev.haq.model.Policy;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * One weight width and one activation width at every decision; a layer that may not be given it has
 * its next narrower one, or its narrowest.
 */
final class UniformPolicies {
  /** A policy with the widths of its decisions. */
  record Pair(int weightBits, int activationBits, Policy policy) {}

  private UniformPolicies() {}

  /**
   * Those within the budget, each policy once, narrow ones first. Where activations are not
   * decided, it stands with the narrowest activation width.
   */
  static List<Pair> within(SearchSpace space) {
    Decisions decisions = space.decisions();
    Set<Policy> policies = new HashSet<>();
    List<Pair> pairs = new ArrayList<>();
    for (int weights : decisions.choices(Operand.WEIGHTS).bits()) {
      for (int activations : decisions.choices(Operand.ACTIVATIONS).bits()) {
        Policy policy = of(decisions, weights, activations);
        if (space.budget().isMetBy(policy) && policies.add(policy)) {
          pairs.add(new Pair(weights, activations, policy));
        }
      }
    }
    return pairs;
  }

  private static Policy of(Decisions decisions, int weights, int activations) {
    Policy policy = decisions.uniform(0);
    for (int step = 0; step < decisions.size(); step++) {
      Decision decision = decisions.get(step);
      int bits = decision.operand() == Operand.WEIGHTS ? weights : activations;
      BitWidth nearest = decisions.choices(decision).nearest(BitWidth.of(bits));
      policy = Decisions.with(policy, decision, nearest);
    }
    return policy;
  }
}
