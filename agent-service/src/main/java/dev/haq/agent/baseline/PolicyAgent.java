package dev.haq.agent.baseline;

import dev.haq.agent.search.Agent;
import dev.haq.agent.search.Experience;
import dev.haq.agent.search.Observation;
import dev.haq.agent.search.SearchSpace;
import dev.haq.model.Policy;
import java.util.List;

/**
 * An agent that thinks in whole policies: it looks at no observation and acts its way through the
 * policy that it has decided on.
 */
abstract class PolicyAgent implements Agent {
  private final SearchSpace space;
  private List<Double> actions = List.of();
  private int step;

  PolicyAgent(SearchSpace space) {
    this.space = space;
  }

  /** The policy to try in an episode, within the budget or not. */
  abstract Policy propose(int number);

  @Override
  public void beginEpisode(int number) {
    actions = space.decisions().actions(propose(number));
    step = 0;
  }

  @Override
  public boolean isWarmup() {
    return false;
  }

  @Override
  public double act(Observation observation) {
    return actions.get(step++);
  }

  @Override
  public void learn(Experience experience) {}

  @Override
  public byte[] snapshot() {
    return new byte[0];
  }

  @Override
  public void restore(byte[] snapshot) {}
}
