package dev.haq.agent.session;

/**
 * The hardware target as the caller named or described it. Only the simulator reads it.
 *
 * @param name for people and messages
 * @param encoded as the edge encoded it; opaque here
 */
public record TargetHandle(String name, byte[] encoded) {}
