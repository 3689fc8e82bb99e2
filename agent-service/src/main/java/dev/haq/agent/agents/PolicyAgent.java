package dev.haq.agent.agents;

import dev.haq.agent.search.SearchSpace;
import dev.haq.model.Policy;
import java.util.List;

/** An agent that thinks in whole policies. */
abstract class PolicyAgent extends ActingAgent {
  private final SearchSpace space;

  PolicyAgent(SearchSpace space) {
    this.space = space;
  }

  /** The policy to try in an episode, within the budget or not. */
  abstract Policy propose(int number, List<Policy> underWay);

  @Override
  final List<Double> actions(int number, List<Policy> underWay) {
    return space.decisions().actions(propose(number, underWay));
  }
}
