package dev.haq.agent.search;

/** Where a session stands; see the contract's {@code SessionState}. */
public enum SessionState {
  QUEUED,
  PREPARING,
  RUNNING,
  PAUSED,
  STOPPING,
  SUCCEEDED,
  STOPPED,
  CANCELLED,
  FAILED;

  /** Whether nothing will happen to it any more. */
  public boolean isFinal() {
    return compareTo(SUCCEEDED) >= 0;
  }
}
