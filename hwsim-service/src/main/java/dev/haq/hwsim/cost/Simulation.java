package dev.haq.hwsim.cost;

import dev.haq.model.Cost;
import dev.haq.model.HaqException;
import dev.haq.model.Layer;
import dev.haq.model.LayerBits;
import dev.haq.model.LayerCost;
import dev.haq.model.Network;
import dev.haq.model.Policy;
import dev.haq.model.Resource;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;

/**
 * What one policy costs on a target.
 *
 * <p>The total is the layers' costs added in layer order, then the parameters outside the layers,
 * which is the order {@link dev.haq.model.CostTable#cost(Policy)} adds in: both give the same
 * double.
 *
 * @param layers in network order
 * @param total of all layers, or of all but the first and the last
 * @param extrapolated whether any layer's cost is
 */
public record Simulation(List<LayerCost> layers, Cost total, boolean extrapolated) {
  public Simulation {
    layers = List.copyOf(layers);
  }

  /**
   * @param resources which are wanted; empty for all that the target models. With MODEL_SIZE alone
   *     nothing is run, and layers may be float
   * @param excludeFirstAndLast leaves those two out of the total, as the paper's printed latencies
   *     do
   * @param codebooks whether model size counts the layers' codebooks
   * @param checkpoint called before every layer; throws when nobody waits for the answer any more
   * @throws HaqException POLICY_MISMATCH, INVALID_BITS, RESOURCE_NOT_MODELLED, or what {@link
   *     CostModel#check} throws
   */
  public static Simulation of(
      Network network,
      CostModel model,
      Policy policy,
      Set<Resource> resources,
      boolean excludeFirstAndLast,
      boolean codebooks,
      Runnable checkpoint) {
    policy.checkedAgainst(network);
    resources.forEach(model::requireModelled);
    ModelSize.check(network);
    boolean run = !resources.equals(EnumSet.of(Resource.MODEL_SIZE));
    if (run) {
      model.check(network);
    }
    if (excludeFirstAndLast && network.size() < 3) {
      throw HaqException.invalid(
          "exclude_first_and_last: network %s has only %d layers, so nothing would be left",
          network.name(), network.size());
    }
    List<LayerCost> layers = new ArrayList<>(network.size());
    Cost total = Cost.ZERO;
    boolean extrapolated = false;
    for (int i = 0; i < network.size(); i++) {
      checkpoint.run();
      LayerCost layer = cost(network, i, model, policy.get(i), run, codebooks);
      layers.add(layer);
      extrapolated |= layer.extrapolated();
      if (!excludeFirstAndLast || (i > 0 && i < network.size() - 1)) {
        total = total.plus(layer.cost());
      }
    }
    Cost other = new Cost(0, 0, OptionalDouble.of(0), ModelSize.otherBytes(network));
    return new Simulation(layers, total.plus(other), extrapolated);
  }

  private static LayerCost cost(
      Network network, int index, CostModel model, LayerBits bits, boolean run, boolean codebooks) {
    Layer layer = network.layer(index);
    RunCost cost = RunCost.NOT_RUN;
    if (run) {
      model.checkBits(layer, bits);
      cost = model.run(network, index, bits.weights(), bits.activations());
    }
    return new LayerCost(
        layer.name(),
        bits,
        new Cost(
            cost.cycles(),
            cost.latencySeconds(),
            cost.energyJoules(),
            ModelSize.bytes(layer, bits.weights(), codebooks)),
        cost.boundBy(),
        cost.utilisation(),
        cost.trafficBytes(),
        cost.extrapolated(),
        cost.energySplit(),
        cost.traffic());
  }
}
