package dev.haq.model;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * The bit-widths of every quantizable layer of a network, in the network's layer order. (The
 * network inside the agent is the actor, not the policy.)
 */
public record Policy(List<LayerBits> layers) {
  public Policy {
    layers = List.copyOf(layers);
    if (layers.isEmpty()) {
      throw new HaqException(Reason.POLICY_MISMATCH, "a policy needs at least one layer");
    }
  }

  /** The same bit-widths for each of {@code layers} layers. */
  public static Policy uniform(int layers, LayerBits bits) {
    return new Policy(Collections.nCopies(layers, bits));
  }

  /** The network as it is: nothing quantized. */
  public static Policy unquantized(int layers) {
    return uniform(layers, LayerBits.unquantized());
  }

  public int size() {
    return layers.size();
  }

  public LayerBits get(int layer) {
    return layers.get(layer);
  }

  /** This policy with the bits of one layer replaced. */
  public Policy with(int layer, LayerBits bits) {
    List<LayerBits> changed = new ArrayList<>(layers);
    changed.set(layer, bits);
    return new Policy(changed);
  }

  /** Refuses a policy that has another number of layers than {@code network}. */
  public Policy checkedAgainst(Network network) {
    if (size() != network.size()) {
      throw new HaqException(
          Reason.POLICY_MISMATCH,
          "the policy has %d layers, network %s has %d: use a policy made for this model"
              .formatted(size(), network.name(), network.size()));
    }
    return this;
  }
}
