package dev.haq.agent.agents;

import dev.haq.agent.agents.UniformPolicies.Pair;
import dev.haq.agent.search.SearchSpace;
import dev.haq.model.Policy;
import java.util.Comparator;
import java.util.List;

/**
 * One weight width and one activation width everywhere, of those pairs that fit the budget: the
 * dearest first, at equal cost the same width for both before others, then wider before narrower.
 * After the last it begins again.
 */
final class UniformAgent extends PolicyAgent {
  private final List<Policy> policies;
  private final Policy narrowest;

  UniformAgent(SearchSpace space) {
    super(space);
    narrowest = space.decisions().uniform(0);
    policies =
        UniformPolicies.within(space).stream()
            .sorted(
                Comparator.comparingDouble((Pair pair) -> -share(space, pair.policy()))
                    .thenComparing(pair -> pair.weightBits() != pair.activationBits())
                    .thenComparing(pair -> -pair.weightBits() - pair.activationBits()))
            .map(Pair::policy)
            .toList();
  }

  /** Of the budget; of several the one that is used up most. */
  private static double share(SearchSpace space, Policy policy) {
    return space.budget().budgets().stream()
        .mapToDouble(budget -> budget.share(policy))
        .max()
        .orElseThrow();
  }

  /** Where no pair fits, though narrow ones elsewhere would, the narrowest, to be fitted. */
  @Override
  Policy propose(int number, List<Policy> underWay) {
    return policies.isEmpty() ? narrowest : policies.get((number - 1) % policies.size());
  }
}
