package dev.haq.agent.session;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

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

  /**
   * @throws HaqException UNKNOWN_SESSION where there is none of this id
   */
  default SessionRecord require(String sessionId) {
    return find(sessionId)
        .orElseThrow(
            () ->
                new HaqException(
                    Reason.UNKNOWN_SESSION, "there is no session '" + sessionId + "'"));
  }

  /** The session created with this request id, which is not empty. */
  Optional<SessionRecord> findByRequestId(String requestId);

  /**
   * Newest first.
   *
   * @param before {@link Page#next} of the page before this one; empty for the newest
   * @param limit 1 or more
   */
  Page list(OptionalLong before, int limit);

  /**
   * Some of the sessions.
   *
   * @param next where the next page begins, whatever is deleted meanwhile; empty at the end
   */
  record Page(List<SessionRecord> sessions, OptionalLong next) {
    public Page {
      sessions = List.copyOf(sessions);
    }
  }

  /**
   * Deletes a session with its episodes and checkpoint, if its revision is still {@code session}'s.
   *
   * @return whether it was
   */
  boolean delete(SessionRecord session);

  /** Those of these sessions that exist, in any order. */
  List<SessionRecord> findAll(Collection<String> sessionIds);

  /**
   * Replaces a session's limits, state, wish to pause, end, error, baseline, tuned and update time,
   * if its revision is still {@code before}'s.
   *
   * @return the session with its next revision; empty when it was changed in between, and nothing
   *     has changed then
   */
  Optional<SessionRecord> update(SessionRecord before, SessionRecord after);

  /**
   * Queued and active sessions that nobody holds a lease of, oldest first: what a process with a
   * free place may take.
   */
  List<SessionRecord> unleased(int limit);

  /**
   * Those of {@link #unleased} that are STOPPING or wish to pause: they come to rest as they are
   * taken over, and need no place for that. Oldest first.
   */
  List<SessionRecord> interrupted(int limit);

  /** How many sessions are queued. */
  int queued();

  /**
   * Like {@link #update}, and makes {@code owner} the holder of a new lease of the session, unless
   * somebody holds one. Earlier holders can append nothing from then on (a fencing token).
   *
   * @param owner at most 64 characters
   * @param term how long the lease lasts from now on, by the store's clock
   */
  Optional<SessionRecord> lease(
      SessionRecord before, SessionRecord after, String owner, Duration term);

  /** Extends the leases that {@code owner} has of these sessions to {@code term} from now on. */
  void renew(String owner, Collection<String> sessionIds, Duration term);

  /** Gives up all leases of {@code owner}, so that others need not wait for their end. */
  void release(String owner);

  /** Gives up one lease. */
  void release(String owner, String sessionId);

  /**
   * Appends the next episode and replaces the checkpoint with the agent's snapshot taken after it.
   * An episode that is the log's last already changes nothing: who was not answered asks again.
   *
   * @param fence of the lease under which the episode was made
   * @return the session with the episode
   * @throws IllegalStateException when {@code episode} is not the one after the last stored, the
   *     session is neither RUNNING nor STOPPING, or has been leased since; nothing has changed then
   */
  SessionRecord append(String sessionId, long fence, Episode episode, byte[] snapshot);

  /** The agent's snapshot after the last stored episode; empty before the first. */
  Optional<byte[]> checkpoint(String sessionId);

  /**
   * Oldest first.
   *
   * @param after only episodes with a higher number
   */
  List<Episode> episodes(String sessionId, int after, int limit);

  /** Those of these numbers, oldest first. */
  List<Episode> episodes(String sessionId, Collection<Integer> numbers);

  /** Like {@link #episodes(String, int, int)}, but reads no more of each than its score. */
  List<Score> scores(SessionRecord session, int after, int limit);

  @Override
  void close();
}
