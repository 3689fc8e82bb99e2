package dev.haq.agent.agents;

import dev.haq.agent.losses.BudgetedProgram;
import dev.haq.agent.losses.DynamicProgram;
import dev.haq.agent.losses.Exchange;
import dev.haq.agent.search.DecisionLoss;
import dev.haq.agent.search.Reward;
import dev.haq.agent.search.SearchSpace;
import dev.haq.agent.search.Sensitivities;
import dev.haq.model.Policy;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Policies that cost nothing to come by: a dynamic program's and its variations, greedy descent's,
 * and those with the same widths everywhere.
 */
final class Candidates {
  /** Uniform policies tried, of those that fit the budget. */
  private static final int UNIFORM = 4;

  private Candidates() {}

  /** The dynamic program's first; each policy once, each within the budget. */
  static List<Policy> of(SearchSpace space, Sensitivities sensitivities) {
    DecisionLoss divergence = sensitivities.losses(Reward.KL_DIVERGENCE);
    Set<Policy> policies = new LinkedHashSet<>();
    policies.add(program(space, divergence));
    policies.add(program(space, sensitivities.losses(Reward.CROSS_ENTROPY)));
    // Noise of many layers adds up to more than each alone shows, or to less: a root and a power
    // make small losses count more, or large ones.
    policies.add(
        program(
            space, (decision, width) -> Math.sqrt(Math.max(0, divergence.of(decision, width)))));
    policies.add(
        program(
            space,
            (decision, width) -> StrictMath.pow(Math.max(0, divergence.of(decision, width)), 1.5)));
    policies.add(new Exchange(space, divergence).descended());
    policies.addAll(uniform(space, new Exchange(space, divergence)));
    return List.copyOf(policies);
  }

  private static Policy program(SearchSpace space, DecisionLoss loss) {
    return BudgetedProgram.of(space, loss, DynamicProgram.FINE).best();
  }

  /** Those believed best. */
  private static List<Policy> uniform(SearchSpace space, Exchange exchange) {
    return UniformPolicies.within(space).stream()
        .map(UniformPolicies.Pair::policy)
        .sorted(Comparator.comparingDouble(exchange::loss))
        .limit(UNIFORM)
        .toList();
  }
}
