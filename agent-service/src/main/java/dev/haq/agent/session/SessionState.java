package dev.haq.agent.session;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.util.EnumSet;
import java.util.Set;

/**
 * Where a session stands, and where it may go from there; see the contract's {@code SessionState}.
 */
public enum SessionState {
  /** Waits for a place to run. */
  QUEUED,
  /** Fetches the network, the cost table and the float accuracy. */
  PREPARING,
  RUNNING,
  /** Trains the best policy's network: the search itself is over. */
  FINE_TUNING,
  PAUSED,
  /** Finishes the episode under way before it stops. */
  STOPPING,
  /** All episodes are done, and the best policy's network is trained where that was asked for. */
  SUCCEEDED,
  /** Ended early by the user. */
  STOPPED,
  /** Ended at once by the user. */
  CANCELLED,
  FAILED;

  /** Whether nothing will happen to it any more, unless it is extended. */
  public boolean isFinal() {
    return next().isEmpty();
  }

  /** Whether a thread works on it, or did when its process died. */
  public boolean isActive() {
    return this == PREPARING || this == RUNNING || this == FINE_TUNING || this == STOPPING;
  }

  public boolean mayBecome(SessionState other) {
    return next().contains(other);
  }

  /**
   * Refuses a step that the state machine does not have.
   *
   * @throws HaqException {@link Reason#ILLEGAL_STATE}
   */
  public void checkMayBecome(SessionState other, String sessionId) {
    if (!mayBecome(other)) {
      throw new HaqException(
          Reason.ILLEGAL_STATE,
          "session %s is %s and cannot become %s%s"
              .formatted(sessionId, this, other, isFinal() ? ": it has ended" : ""));
    }
  }

  /**
   * Where a session goes that is given other limits: one that has ended or is fine-tuning waits for
   * its turn again, any other stays.
   *
   * @throws HaqException {@link Reason#ILLEGAL_STATE} while it is stopping
   */
  public SessionState extended(String sessionId) {
    return switch (this) {
      case STOPPING ->
          throw new HaqException(
              Reason.ILLEGAL_STATE,
              "session %s is STOPPING: extend it once it has stopped".formatted(sessionId));
      case SUCCEEDED, STOPPED, CANCELLED, FAILED, FINE_TUNING -> QUEUED;
      case QUEUED, PREPARING, RUNNING, PAUSED -> this;
    };
  }

  /**
   * RUNNING and FINE_TUNING go back to PREPARING when a process takes over what a dead one left;
   * where that had stored the last episode there is nothing to prepare for.
   */
  private Set<SessionState> next() {
    return switch (this) {
      case QUEUED -> EnumSet.of(PREPARING, PAUSED, STOPPED, CANCELLED, FAILED);
      case PREPARING ->
          EnumSet.of(
              PREPARING, RUNNING, FINE_TUNING, PAUSED, STOPPING, SUCCEEDED, CANCELLED, FAILED);
      case RUNNING ->
          EnumSet.of(PREPARING, FINE_TUNING, PAUSED, STOPPING, SUCCEEDED, CANCELLED, FAILED);
      case FINE_TUNING -> EnumSet.of(PREPARING, PAUSED, STOPPED, SUCCEEDED, CANCELLED, FAILED);
      case PAUSED -> EnumSet.of(QUEUED, STOPPED, CANCELLED);
      case STOPPING -> EnumSet.of(STOPPED, SUCCEEDED, CANCELLED, FAILED);
      case SUCCEEDED, STOPPED, CANCELLED, FAILED -> EnumSet.noneOf(SessionState.class);
    };
  }
}
