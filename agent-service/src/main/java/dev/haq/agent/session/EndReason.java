package dev.haq.agent.session;

/** Why a session ended. */
public enum EndReason {
  /** All episodes are done. */
  EPISODES,
  WALL_TIME,
  /** No better reward for long enough. */
  CONVERGED,
  USER,
  ERROR,
  /** The best policy is as accurate as was asked for. */
  GOAL
}
