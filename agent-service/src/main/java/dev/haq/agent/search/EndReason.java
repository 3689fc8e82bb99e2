package dev.haq.agent.search;

/** Why a session ended. */
public enum EndReason {
  /** All episodes are done. */
  EPISODES,
  WALL_TIME,
  CONVERGED,
  USER,
  ERROR
}
