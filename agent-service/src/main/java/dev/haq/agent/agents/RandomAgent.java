package dev.haq.agent.agents;

import dev.haq.agent.search.SeededRandom;
import dev.haq.agent.search.SeededRandom.Purpose;
import dev.haq.model.Policy;
import java.util.List;
import java.util.stream.DoubleStream;

/** Draws every action uniformly and learns nothing: what any learning agent has to beat. */
final class RandomAgent extends ActingAgent {
  private final int decisions;
  private final long seed;

  /**
   * @param decisions of an episode
   */
  RandomAgent(int decisions, long seed) {
    this.decisions = decisions;
    this.seed = seed;
  }

  @Override
  List<Double> actions(int number, List<Policy> underWay) {
    SeededRandom random = SeededRandom.of(seed, Purpose.EXPLORATION, number);
    return DoubleStream.generate(random::nextDouble).limit(decisions).boxed().toList();
  }
}
