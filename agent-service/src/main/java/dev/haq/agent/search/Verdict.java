package dev.haq.agent.search;

import dev.haq.model.Accuracy;
import dev.haq.model.Cost;

/**
 * What a proposal came to, before the agent has learned from it.
 *
 * @param simulating seconds
 * @param evaluating seconds
 */
record Verdict(
    Proposal proposal, Cost cost, Accuracy accuracy, double simulating, double evaluating) {}
