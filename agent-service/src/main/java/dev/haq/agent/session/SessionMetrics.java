package dev.haq.agent.session;

import dev.haq.agent.search.Timings;

/** What is counted and timed. Port: a metrics registry answers. */
public interface SessionMetrics {
  /** Counts nothing. */
  SessionMetrics NONE =
      new SessionMetrics() {
        @Override
        public void episode(Timings timings, double storeSeconds) {}

        @Override
        public void ended(String state) {}
      };

  /**
   * An episode was stored.
   *
   * @param storeSeconds what storing it and its checkpoint took
   */
  void episode(Timings timings, double storeSeconds);

  /** A session came to a final state. */
  void ended(String state);
}
