package dev.haq.agent.search;

import dev.haq.model.BitChoices;
import dev.haq.model.HaqException;
import dev.haq.model.Network;
import dev.haq.model.Resource;

/**
 * What one search looks for.
 *
 * @param resource what the budget limits
 * @param budget limit and reference, in the resource's unit
 * @param weightBits widths to choose from; each must be in the cost table and in {@link #JUDGED}
 * @param activationBits likewise; not used for model size, where activations stay float
 * @param seed the same seed gives the same episodes
 * @param episodes 1..100,000
 */
public record SearchSettings(
    Network network,
    Resource resource,
    BudgetLimit budget,
    BitChoices weightBits,
    BitChoices activationBits,
    Pinning pinning,
    long seed,
    int episodes) {
  /** The widths at which the accuracy of a policy can be had, beside float. */
  public static final BitChoices JUDGED = BitChoices.range(2, 8);

  /** The most episodes a session may have. */
  public static final int MOST_EPISODES = 100_000;

  public SearchSettings {
    if (episodes < 1 || episodes > MOST_EPISODES) {
      throw HaqException.invalid("episodes %d: use 1 to %d", episodes, MOST_EPISODES);
    }
  }
}
