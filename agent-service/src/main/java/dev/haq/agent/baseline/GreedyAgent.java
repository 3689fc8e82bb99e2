package dev.haq.agent.baseline;

import dev.haq.agent.search.Experience;
import dev.haq.agent.search.Reward;
import dev.haq.agent.search.SearchSpace;
import dev.haq.agent.search.Sensitivities;
import dev.haq.model.Policy;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Greedy adaptation after NetAdapt (Yang, Howard, Chen and others: NetAdapt: platform-aware neural
 * network adaptation for mobile applications, ECCV 2018): from the widest policy down, always the
 * width whose lowering loses least accuracy for the cost it saves, until the budget holds.
 *
 * <p>Departures: NetAdapt evaluates every layer's candidate at each step, thousands of evaluations;
 * here measured sensitivities stand in for them on the way down. The evaluations, one an episode,
 * go into what follows: from the best policy so far, one decision is changed by a step and the
 * others make up for it; the change believed best is tried first, and kept if it is better.
 */
final class GreedyAgent extends PolicyAgent {
  private final Exchange exchange;
  private final Best best;
  private int improvedAt; // number of the best episode
  private List<Policy> neighbours; // of the best, null until asked for

  GreedyAgent(SearchSpace space, Sensitivities sensitivities) {
    super(space);
    best = new Best(space.decisions());
    exchange =
        new Exchange(
            space, (decision, width) -> sensitivities.loss(Reward.KL_DIVERGENCE, decision, width));
  }

  @Override
  Policy propose(int number) {
    if (best.policy().isEmpty()) {
      return exchange.descended();
    }
    if (neighbours == null) {
      neighbours = exchange.neighbours(best.policy().get());
    }
    return neighbours.isEmpty()
        ? best.policy().get()
        : neighbours.get((number - improvedAt - 1) % neighbours.size());
  }

  @Override
  public void learn(Experience experience) {
    if (best.add(experience.policy(), experience.reward())) {
      improvedAt = experience.number();
      neighbours = null;
    }
  }

  @Override
  public byte[] snapshot() {
    ByteBuffer out = ByteBuffer.allocate(Integer.BYTES + best.bytes());
    out.putInt(improvedAt);
    best.save(out);
    return out.array();
  }

  @Override
  public void restore(byte[] snapshot) {
    if (snapshot.length != Integer.BYTES + best.bytes()) {
      throw new IllegalArgumentException(
          "a snapshot of " + snapshot.length + " bytes is of an agent with other settings");
    }
    ByteBuffer in = ByteBuffer.wrap(snapshot);
    improvedAt = in.getInt();
    best.load(in);
    neighbours = null;
  }
}
