package dev.haq.agent.agents;

import dev.haq.agent.search.Agent;
import dev.haq.agent.search.Experience;
import dev.haq.agent.search.Observation;
import dev.haq.model.Policy;
import java.util.List;

/**
 * An agent that decides on all actions of an episode when it begins, and looks at no observation.
 * Of itself it learns nothing and has nothing to remember.
 */
abstract class ActingAgent implements Agent {
  private List<Double> actions = List.of(); // of the episode begun
  private int step;

  /** The actions of an episode, one a decision. */
  abstract List<Double> actions(int number, List<Policy> underWay);

  @Override
  public final void beginEpisode(int number, List<Policy> underWay) {
    actions = actions(number, underWay);
    step = 0;
  }

  @Override
  public final boolean isWarmup() {
    return false;
  }

  @Override
  public final double act(Observation observation) {
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
