package dev.haq.agent.baseline;

import dev.haq.agent.search.Agent;
import dev.haq.agent.search.Experience;
import dev.haq.agent.search.Observation;

/**
 * Gives every decision of an episode the same bit-width, the widest in the first episode, then one
 * narrower each time, round and round. A width that exceeds the budget is lowered from the last
 * layer on, as any other agent's policy.
 */
public final class UniformAgent implements Agent {
  private final int widths;
  private double action;

  /**
   * @param widths how many bit-widths there are to choose from
   */
  public UniformAgent(int widths) {
    this.widths = widths;
  }

  @Override
  public void beginEpisode(int number) {
    int narrower = (number - 1) % widths;
    action = (widths - narrower - 0.5) / widths; // the middle of the width's interval
  }

  @Override
  public boolean isWarmup() {
    return false;
  }

  @Override
  public double act(Observation observation) {
    return action;
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
