package dev.haq.agent.search;

import dev.haq.model.Policy;
import java.util.List;

/**
 * What an agent wants to try in an episode.
 *
 * @param steps one for each decision, in order
 * @param policy that the actions come to, fitted to the budget
 * @param warmup whether its actions were random
 * @param seconds that proposing took
 */
record Proposal(int number, List<Transition> steps, Policy policy, boolean warmup, double seconds) {
  List<Double> actions() {
    return steps.stream().map(Transition::action).toList();
  }
}
