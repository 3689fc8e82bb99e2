package dev.haq.agent.search;

import dev.haq.model.Policy;
import java.util.List;

/**
 * Proposes the actions of an episode, step by step, and learns from what they were worth. Port:
 * DDPG or one of the simple alternatives stands behind it.
 *
 * <p>One thread at a time. An episode is {@code beginEpisode, act, act, ...} and, later, {@code
 * learn}; with several episodes under way the next ones begin before the first is learned from, but
 * episodes are learned from in the order of their numbers. Proposing leaves no trace, so that an
 * episode can be begun again. All randomness derives from the agent's seed and the episode's
 * number. What other agents of the same search found is told in between, in order, as {@code
 * observe}.
 */
public interface Agent {
  /**
   * Starts an episode.
   *
   * @param number 1, 2, 3, ...
   * @param underWay policies of other episodes, within the budget, that an agent may want to stay
   *     clear of: proposed already, by this agent or others of the same search, and not learned
   *     from yet
   */
  void beginEpisode(int number, List<Policy> underWay);

  /** Whether the episode begun belongs to a warm-up of random actions. */
  boolean isWarmup();

  /** The action for this observation, exploration noise included: 0..1. */
  double act(Observation observation);

  /** Learns from a whole episode, the one after the last that was learned from. */
  void learn(Experience experience);

  /**
   * Takes note of a policy that another agent proposed, within this one's budget or not. Does
   * nothing in agents that learn from their own episodes alone.
   *
   * @param policy one that this agent's decisions can come to
   * @param reward see {@link Reward}
   */
  default void observe(Policy policy, double reward) {}

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
