package dev.haq.agent.search;

import dev.haq.model.Cost;

/**
 * What a policy costs on one of a session's targets.
 *
 * @param cost as simulated
 * @param ratio cost over the target's reference cost, of the resource of its first budget
 * @param eligible whether the policy counts for the target; see {@link SearchSpace#admits}
 */
public record TargetCost(Cost cost, double ratio, boolean eligible) {}
