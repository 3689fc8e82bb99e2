package dev.haq.agent.baseline;

import dev.haq.agent.search.Agent;
import dev.haq.agent.search.Experience;
import dev.haq.agent.search.Observation;
import dev.haq.agent.search.SeededRandom;
import dev.haq.agent.search.SeededRandom.Purpose;

/** Draws every action uniformly and learns nothing: what any learning agent has to beat. */
public final class RandomAgent implements Agent {
  private final long seed;
  private SeededRandom random;

  public RandomAgent(long seed) {
    this.seed = seed;
  }

  @Override
  public void beginEpisode(int number) {
    random = SeededRandom.of(seed, Purpose.EXPLORATION, number);
  }

  @Override
  public boolean isWarmup() {
    return false;
  }

  @Override
  public double act(Observation observation) {
    return random.nextDouble();
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
