package dev.haq.agent.session;

import java.time.Duration;

/**
 * How a process works on sessions.
 *
 * @param places how many run at a time, at least 1
 * @param lease how long a session stays with a process that is not heard of any more, at least a
 *     second; other processes that share the store take it over after that
 * @param patience how long a session that runs waits for a store that is away
 */
public record SessionTerms(int places, Duration lease, Duration patience) {}
