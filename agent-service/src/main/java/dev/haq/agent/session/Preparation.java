package dev.haq.agent.session;

/**
 * How far a session is before its first episode.
 *
 * @param measured sensitivities
 * @param toMeasure in all
 * @param secondsLeft estimate for those still to come
 */
public record Preparation(int measured, int toMeasure, double secondsLeft) {}
