package dev.haq.agent.search;

import java.time.Instant;

/**
 * A session as it is stored, without its episodes.
 *
 * @param requestId the caller's idempotency key; empty when it gave none
 * @param spec what was asked for, as the edge encoded it; opaque here
 * @param preparation what was found out once (network, float accuracy, reference cost), likewise
 *     opaque; empty before
 * @param endReason why it ended; empty until it has
 * @param error one line, of failed sessions; empty otherwise
 */
public record SessionRecord(
    String id,
    String requestId,
    byte[] spec,
    byte[] preparation,
    SessionState state,
    String endReason,
    String error,
    int episodesDone,
    Instant createTime,
    Instant updateTime) {}
