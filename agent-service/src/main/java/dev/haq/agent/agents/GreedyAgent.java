package dev.haq.agent.agents;

import dev.haq.agent.losses.Exchange;
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
  private final int decisions;
  private final Exchange exchange;
  private final Best best;
  private final Tried tried;
  private List<Policy> neighbours; // of the best, null until asked for

  GreedyAgent(SearchSpace space, Sensitivities sensitivities) {
    super(space);
    decisions = space.decisions().size();
    best = new Best(space.decisions());
    tried = new Tried(space.decisions());
    exchange = new Exchange(space, sensitivities.losses(Reward.KL_DIVERGENCE));
  }

  @Override
  Policy propose(int number, List<Policy> underWay) {
    Policy first = best.policy().orElseGet(exchange::descended);
    if (tried.isNew(first, underWay)) {
      return first;
    }
    if (neighbours == null) {
      neighbours = exchange.neighbours(first);
    }
    return neighbours.stream()
        .filter(policy -> tried.isNew(policy, underWay))
        .findFirst()
        .orElseGet(() -> neighbours.isEmpty() ? first : again(number));
  }

  /** All neighbours were tried: round and round. */
  private Policy again(int number) {
    return neighbours.get(number % neighbours.size());
  }

  @Override
  public void learn(Experience experience) {
    tried.add(experience.policy());
    if (best.add(experience.policy(), experience.reward())) {
      neighbours = null;
    }
  }

  @Override
  public byte[] snapshot() {
    ByteBuffer out = ByteBuffer.allocate(ownBytes());
    tried.save(out);
    best.save(out);
    return out.array();
  }

  private int ownBytes() {
    return Tried.BYTES + Best.bytes(decisions);
  }

  /** Also those that hold no more than the number of the best episode and its policy. */
  @Override
  public void restore(byte[] snapshot) {
    ByteBuffer in = ByteBuffer.wrap(snapshot);
    if (snapshot.length == ownBytes()) {
      tried.load(in);
    } else if (snapshot.length == Integer.BYTES + Best.bytes(decisions)) {
      in.getInt();
    } else {
      throw new IllegalArgumentException(
          "a snapshot of " + snapshot.length + " bytes is of an agent with other settings");
    }
    best.load(in);
    neighbours = null;
  }
}
