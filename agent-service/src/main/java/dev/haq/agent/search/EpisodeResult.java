package dev.haq.agent.search;

import dev.haq.model.Accuracy;
import dev.haq.model.Cost;
import dev.haq.model.Policy;
import java.util.List;
import java.util.Optional;

/**
 * What one episode came to.
 *
 * @param number 1, 2, 3, ...
 * @param policy as evaluated: within the budget that it was proposed for
 * @param reward see {@link Reward}
 * @param costs on each of the session's targets, in order; empty where that cannot run the policy
 * @param warmup whether its actions were random
 */
public record EpisodeResult(
    int number,
    Policy policy,
    double reward,
    Accuracy accuracy,
    List<Optional<TargetCost>> costs,
    boolean warmup,
    Timings timings) {
  public EpisodeResult {
    costs = List.copyOf(costs);
  }

  /** On the session's first target, which every policy of a session with one target runs on. */
  public Cost cost() {
    return costs.get(0).orElseThrow().cost();
  }

  /** Cost over the reference cost, on the session's first target. */
  public double costRatio() {
    return costs.get(0).orElseThrow().ratio();
  }

  /**
   * Whether the policy counts for a target.
   *
   * @param target index among the session's
   */
  public boolean isEligible(int target) {
    return costs.get(target).filter(TargetCost::eligible).isPresent();
  }
}
