package dev.haq.agent.agents;

import dev.haq.agent.search.Decisions;
import dev.haq.model.Policy;
import java.nio.ByteBuffer;
import java.util.Optional;

/** The policy of the highest reward so far, the earliest of equals. */
final class Best {
  private final Decisions decisions;
  private Optional<Policy> policy = Optional.empty();
  private double reward = Double.NEGATIVE_INFINITY;

  Best(Decisions decisions) {
    this.decisions = decisions;
  }

  Optional<Policy> policy() {
    return policy;
  }

  /** Of the best policy; lower than any where there is none. */
  double reward() {
    return reward;
  }

  /** Answers whether it is a new best. */
  boolean add(Policy other, double otherReward) {
    if (policy.isPresent() && otherReward <= reward) {
      return false;
    }
    policy = Optional.of(other);
    reward = otherReward;
    return true;
  }

  /** Bytes that {@link #save} writes. */
  static int bytes(int decisions) {
    return 1 + Double.BYTES + decisions;
  }

  void save(ByteBuffer out) {
    out.put((byte) (policy.isPresent() ? 1 : 0)).putDouble(reward);
    out.put(policy.map(p -> Genome.of(decisions, p)).orElse(new byte[decisions.size()]));
  }

  void load(ByteBuffer in) {
    boolean present = in.get() == 1;
    reward = in.getDouble();
    byte[] genes = new byte[decisions.size()];
    in.get(genes);
    policy = present ? Optional.of(Genome.policy(decisions, genes)) : Optional.empty();
  }
}
