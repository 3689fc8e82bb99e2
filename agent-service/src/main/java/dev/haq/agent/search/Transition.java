package dev.haq.agent.search;

/**
 * One step of an episode. The reward is the episode's, the same for all of its steps (paper, 3.6).
 *
 * @param action 0..1, as proposed: before the budget lowered any bit-width
 * @param next what the agent saw at the following step; at the last step {@code observation} again
 * @param last whether the episode ended with this step
 */
public record Transition(Observation observation, double action, Observation next, boolean last) {
  public Transition {
    if (!(action >= 0 && action <= 1)) {
      throw new IllegalArgumentException("action " + action + " is not in 0..1");
    }
  }
}
