package dev.haq.agent.search;

import dev.haq.model.Accuracy;
import dev.haq.model.Cost;
import dev.haq.model.Policy;

/**
 * What one episode came to.
 *
 * @param number 1, 2, 3, ...
 * @param policy as evaluated: within the budget
 * @param reward see {@link Reward}
 * @param cost as simulated
 * @param costRatio cost over the session's reference cost, of the budget's resource
 * @param warmup whether its actions were random
 */
public record EpisodeResult(
    int number,
    Policy policy,
    double reward,
    Accuracy accuracy,
    Cost cost,
    double costRatio,
    boolean warmup,
    Timings timings) {}
