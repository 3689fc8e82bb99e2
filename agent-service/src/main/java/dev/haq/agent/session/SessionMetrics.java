package dev.haq.agent.session;

import dev.haq.agent.search.Reward;

/** What is counted and timed. Port: a metrics registry answers. */
public interface SessionMetrics {
  /**
   * An episode was stored.
   *
   * @param reward the session's
   * @param storeSeconds what storing it and its checkpoint took
   */
  void episode(Reward reward, Episode episode, double storeSeconds);

  /** A session came to a final state. */
  void ended(String state);

  /** A session was leased on which another process, or an earlier one, had worked before. */
  void takenOver();

  /** Another process has leased a session on which this one still worked. */
  void leaseLost();
}
