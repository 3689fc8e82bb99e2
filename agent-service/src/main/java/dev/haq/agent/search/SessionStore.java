package dev.haq.agent.search;

import dev.haq.model.HaqException;
import java.util.List;
import java.util.Optional;

/**
 * Where sessions live, so that a process that dies loses at most the episode under way. Port: a SQL
 * database answers. Episodes are append-only; every method is one transaction, durable when it
 * returns.
 *
 * <p>Safe for use by any thread. A database that does not answer is an {@link HaqException}.
 */
public interface SessionStore extends AutoCloseable {
  /**
   * Stores a new session; when its request id is not empty and was used before, changes nothing and
   * answers the session that has it.
   */
  SessionRecord create(SessionRecord session);

  Optional<SessionRecord> find(String sessionId);

  /** The session created with this request id, which is not empty. */
  Optional<SessionRecord> findByRequestId(String requestId);

  /**
   * Newest first.
   *
   * @param beforeId only sessions created before this one; empty for the newest
   */
  List<SessionRecord> list(String beforeId, int limit);

  /** Queued and active sessions, oldest first: what a process that starts has to carry on with. */
  List<SessionRecord> unfinished();

  /**
   * Replaces a session's state, wish to pause, end, error, baseline and update time, if it is still
   * in state {@code expected}.
   *
   * @return whether it was; otherwise nothing has changed
   */
  boolean update(SessionRecord changed, SessionState expected);

  /**
   * Appends the next episode and replaces the checkpoint with the agent's snapshot taken after it.
   *
   * @return the session with the episode
   * @throws IllegalStateException when {@code episode} is not the one after the last stored, or the
   *     session is neither RUNNING nor STOPPING; nothing has changed then
   */
  SessionRecord append(String sessionId, Episode episode, byte[] snapshot);

  /** The agent's snapshot after the last stored episode; empty before the first. */
  Optional<byte[]> checkpoint(String sessionId);

  /**
   * Oldest first.
   *
   * @param after only episodes with a higher number
   */
  List<Episode> episodes(String sessionId, int after, int limit);

  @Override
  void close();
}
