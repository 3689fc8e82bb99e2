package dev.haq.agent.search;

import java.util.List;

/**
 * Proposes the actions of an episode, step by step, and learns from what they were worth. Port:
 * DDPG or one of the simple alternatives stands behind it.
 *
 * <p>One thread at a time. The order of calls is {@code beginEpisode, act, act, ..., learn}; an
 * episode that fails between {@code beginEpisode} and {@code learn} leaves no trace, so that it can
 * be begun again. All randomness derives from the agent's seed and the episode's number.
 */
public interface Agent {
  /**
   * Starts an episode.
   *
   * @param number 1, 2, 3, ...
   */
  void beginEpisode(int number);

  /** Whether the episode begun belongs to a warm-up of random actions. */
  boolean isWarmup();

  /** The action for this observation, exploration noise included: 0..1. */
  double act(Observation observation);

  /**
   * Learns from a whole episode.
   *
   * @param transitions one for each decision, in order
   * @param reward of the episode, see {@link Reward}
   */
  void learn(List<Transition> transitions, double reward);

  /**
   * Everything that determines what this agent will do after {@code learn}: an agent made with the
   * same settings that restores it continues bit for bit as this one would have. Taken between
   * episodes.
   */
  byte[] snapshot();

  /**
   * @throws IllegalArgumentException when {@code snapshot} was not taken from an agent with the
   *     same settings
   */
  void restore(byte[] snapshot);
}
