package dev.haq.agent.search;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * Where sessions live, so that a process that dies loses at most the episode under way. Port: a SQL
 * database answers. Episodes are append-only; every method is one transaction.
 */
public interface SessionStore extends AutoCloseable {
  /**
   * Stores a new session; when its request id is not empty and was used before, changes nothing and
   * answers the session that has it.
   */
  SessionRecord create(SessionRecord session);

  Optional<SessionRecord> find(String sessionId);

  /**
   * Newest first.
   *
   * @param beforeId only sessions created before this one; empty for the newest
   */
  List<SessionRecord> list(String beforeId, int limit);

  /**
   * Moves a session to another state, if it is in {@code expected}.
   *
   * @return whether it was
   */
  boolean changeState(
      String sessionId, SessionState expected, SessionState next, String endReason, String error);

  /** Keeps what the session found out while it prepared. */
  void savePreparation(String sessionId, byte[] preparation);

  /**
   * Appends the next episode and replaces the checkpoint with the agent's snapshot taken after it.
   *
   * @throws IllegalStateException when {@code episode} is not the one after the last stored
   */
  void append(String sessionId, Episode episode, byte[] snapshot);

  /** The agent's snapshot after the last stored episode; empty before the first. */
  Optional<byte[]> checkpoint(String sessionId);

  /**
   * Oldest first.
   *
   * @param after only episodes with a higher number
   */
  List<Episode> episodes(String sessionId, int after, int limit);

  /** The episode with the highest reward, the earliest of equals. */
  Optional<Episode> best(String sessionId);

  /** Its reward. */
  default OptionalDouble bestReward(String sessionId) {
    return best(sessionId)
        .map(e -> OptionalDouble.of(e.bestReward()))
        .orElse(OptionalDouble.empty());
  }

  @Override
  void close();
}
