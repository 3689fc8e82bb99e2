package dev.haq.agent.search;

/**
 * Wall time of an episode and of its parts, in seconds.
 *
 * @param total the whole episode
 * @param agent observing, acting and learning
 * @param simulator the simulation of the policy
 * @param quantizer the evaluation of the policy
 */
public record Timings(double total, double agent, double simulator, double quantizer) {}
