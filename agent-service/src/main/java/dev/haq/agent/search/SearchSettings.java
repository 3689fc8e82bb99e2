package dev.haq.agent.search;

import dev.haq.model.BitChoices;
import dev.haq.model.HaqException;
import dev.haq.model.Network;
import dev.haq.model.Resource;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What one search looks for.
 *
 * @param budgets at least one, each of another resource or another target; a policy has to meet all
 *     of them. The first is the one that cost ratios are given for
 * @param weightBits widths to choose from; each must be in the cost tables and in {@link #JUDGED}
 * @param activationBits likewise; not used where model size alone is limited, where activations
 *     stay float
 * @param reward what a policy is worth
 * @param seed the same seed gives the same episodes
 * @param episodes 1..100,000
 */
public record SearchSettings(
    Network network,
    List<ResourceBudget> budgets,
    BitChoices weightBits,
    BitChoices activationBits,
    Pinning pinning,
    Reward reward,
    long seed,
    int episodes) {
  /** The widths at which the accuracy of a policy can be had, beside float. */
  public static final BitChoices JUDGED = BitChoices.range(2, 8);

  /** The most episodes a session may have. */
  public static final int MOST_EPISODES = 100_000;

  private record Limited(String target, Resource resource) {}

  public SearchSettings {
    budgets = List.copyOf(budgets);
    if (budgets.isEmpty()) {
      throw HaqException.invalid("a search needs a budget");
    }
    Set<Limited> limited = new HashSet<>();
    for (ResourceBudget budget : budgets) {
      if (!limited.add(new Limited(budget.target(), budget.resource()))) {
        throw HaqException.invalid(
            "there are two budgets of %s: give one a resource", budget.resource());
      }
    }
    if (episodes < 1 || episodes > MOST_EPISODES) {
      throw HaqException.invalid("episodes %d: use 1 to %d", episodes, MOST_EPISODES);
    }
  }

  /** The first budget: cost ratios are of its resource. */
  public ResourceBudget mainBudget() {
    return budgets.get(0);
  }

  /** Whether any cost rests on parts of a cost model that no published figure checks. */
  public boolean isExtrapolated() {
    return budgets.stream().anyMatch(budget -> budget.table().extrapolated());
  }

  /** Whether only weights are searched (paper, 3.4): nothing but the model's size is limited. */
  public boolean weightsOnly() {
    return budgets.stream().allMatch(budget -> budget.resource() == Resource.MODEL_SIZE);
  }
}
