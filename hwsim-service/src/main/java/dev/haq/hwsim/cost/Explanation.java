package dev.haq.hwsim.cost;

import dev.haq.model.BitChoices;
import dev.haq.model.BitWidth;
import dev.haq.model.Bound;
import dev.haq.model.Layer;
import dev.haq.model.LayerBits;
import dev.haq.model.LayerCost;
import dev.haq.model.Network;
import dev.haq.model.Policy;
import dev.haq.model.Traffic;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * Why a layer costs what it costs: where it stands under the roofline (Williams et al., CACM 2009),
 * and what one bit-width fewer or more would change.
 *
 * @param macs multiply-accumulate operations of the batch
 * @param operationalIntensity operations per byte of traffic; empty where traffic is unknown
 * @param speed the roofline above it; empty where unknown
 * @param reachedMacsPerSecond empty where the target has no latency
 */
public record Explanation(
    LayerCost cost,
    double macs,
    OptionalDouble operationalIntensity,
    Optional<Speed> speed,
    OptionalDouble reachedMacsPerSecond,
    List<Counterfactual> counterfactuals) {
  /**
   * The layer at other bits, all else equal; changes are theirs minus the policy's.
   *
   * @param energyJoulesChange empty where the target has no energy model
   */
  public record Counterfactual(
      LayerBits bits,
      double latencySecondsChange,
      OptionalDouble energyJoulesChange,
      double modelSizeBytesChange,
      Bound boundBy) {}

  public Explanation {
    counterfactuals = List.copyOf(counterfactuals);
  }

  /**
   * Every layer's explanation, in network order.
   *
   * @param simulation of the policy on the same network and model
   */
  public static List<Explanation> of(
      Network network, CostModel model, Policy policy, Simulation simulation, Runnable checkpoint) {
    List<Explanation> explanations = new ArrayList<>(network.size());
    for (int i = 0; i < network.size(); i++) {
      checkpoint.run();
      explanations.add(layer(network, i, model, policy.get(i), simulation.layers().get(i)));
    }
    return explanations;
  }

  private static Explanation layer(
      Network network, int index, CostModel model, LayerBits bits, LayerCost cost) {
    Layer layer = network.layer(index);
    RunCost run = model.run(network, index, bits.weights(), bits.activations());
    double macs = ModelSize.weights(layer) * ModelSize.vectors(layer) * model.batch();
    double bytes = run.traffic().map(Traffic::memoryBytes).orElse(0.0);
    List<Counterfactual> others = new ArrayList<>();
    for (LayerBits other : neighbours(model, bits)) {
      RunCost there = model.run(network, index, other.weights(), other.activations());
      others.add(
          new Counterfactual(
              other,
              there.latencySeconds() - run.latencySeconds(),
              there.energyJoules().isPresent() && run.energyJoules().isPresent()
                  ? OptionalDouble.of(
                      there.energyJoules().getAsDouble() - run.energyJoules().getAsDouble())
                  : OptionalDouble.empty(),
              ModelSize.bytes(layer, other.weights()) - ModelSize.bytes(layer, bits.weights()),
              there.boundBy()));
    }
    return new Explanation(
        cost,
        macs,
        bytes > 0 ? OptionalDouble.of(macs / bytes) : OptionalDouble.empty(),
        run.speed(),
        run.latencySeconds() > 0
            ? OptionalDouble.of(macs / run.latencySeconds())
            : OptionalDouble.empty(),
        others);
  }

  /** Fewer and more bits of weights, then of activations, as far as the target has them. */
  private static List<LayerBits> neighbours(CostModel model, LayerBits bits) {
    List<LayerBits> others = new ArrayList<>();
    BitWidth w = bits.weights();
    BitWidth a = bits.activations();
    model.weightBits().below(w).ifPresent(b -> others.add(new LayerBits(BitWidth.of(b), a)));
    above(model.weightBits(), w).ifPresent(b -> others.add(new LayerBits(BitWidth.of(b), a)));
    model.activationBits().below(a).ifPresent(b -> others.add(new LayerBits(w, BitWidth.of(b))));
    above(model.activationBits(), a).ifPresent(b -> others.add(new LayerBits(w, BitWidth.of(b))));
    return others;
  }

  private static OptionalInt above(BitChoices choices, BitWidth width) {
    return choices.bits().stream()
        .mapToInt(Integer::intValue)
        .filter(bits -> bits > width.bits())
        .min();
  }
}
