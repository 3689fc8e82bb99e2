package dev.haq.agent.search;

/**
 * One step of an episode. The reward is the episode's, the same for all of its steps (paper, 3.6);
 * the next observation is the following step's.
 *
 * @param action 0..1, as proposed: before the budget lowered any bit-width
 */
public record Transition(Observation observation, double action) {
  public Transition {
    if (!(action >= 0 && action <= 1)) {
      throw new IllegalArgumentException("action " + action + " is not in 0..1");
    }
  }
}
