package dev.haq.agent.search;

import dev.haq.model.Accuracy;
import java.util.List;
import java.util.Optional;

/**
 * What a proposal came to, before the agents have learned from it.
 *
 * @param costs on each target; empty where that cannot run the policy
 * @param simulating seconds
 * @param evaluating seconds
 */
record Verdict(
    Proposal proposal,
    List<Optional<TargetCost>> costs,
    Accuracy accuracy,
    double simulating,
    double evaluating) {}
