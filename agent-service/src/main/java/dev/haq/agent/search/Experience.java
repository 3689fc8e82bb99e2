package dev.haq.agent.search;

import dev.haq.model.Policy;
import java.util.List;

/**
 * An episode as an agent learns from it.
 *
 * @param number the episode's
 * @param steps one for each decision, in order, with the actions as proposed
 * @param policy as evaluated: within the budget
 * @param reward see {@link Reward}
 */
public record Experience(int number, List<Transition> steps, Policy policy, double reward) {
  public Experience {
    steps = List.copyOf(steps);
  }
}
