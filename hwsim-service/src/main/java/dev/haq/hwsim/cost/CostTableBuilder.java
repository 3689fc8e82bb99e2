package dev.haq.hwsim.cost;

import dev.haq.model.BitChoices;
import dev.haq.model.BitWidth;
import dev.haq.model.CostTable;
import dev.haq.model.HaqException;
import dev.haq.model.Layer;
import dev.haq.model.Network;
import dev.haq.model.Reason;
import dev.haq.model.Resource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Builds the cost of every layer at every pair of bit-widths. Layers of equal geometry are computed
 * once, different ones in parallel; the result does not depend on the order they finish in.
 */
public final class CostTableBuilder {
  private CostTableBuilder() {}

  /**
   * @param weightBits among the target's
   * @param activationBits among the target's
   * @param codebooks whether model size counts the layers' codebooks
   * @param checkpoint called before every cell; throws when nobody waits for the table any more
   * @throws HaqException RESOURCE_NOT_MODELLED, INVALID_BITS, or what {@link CostModel#check}
   *     throws
   */
  public static CostTable build(
      Network network,
      CostModel model,
      Resource resource,
      BitChoices weightBits,
      BitChoices activationBits,
      boolean codebooks,
      Runnable checkpoint) {
    model.requireModelled(resource);
    requireAllowed("weight_bits", weightBits, model.weightBits(), model);
    requireAllowed("activation_bits", activationBits, model.activationBits(), model);
    ModelSize.check(network);
    int layers = network.size();
    int pairs = weightBits.size() * activationBits.size();
    double[] values = new double[layers * pairs];
    if (resource == Resource.MODEL_SIZE) {
      for (int layer = 0; layer < layers; layer++) {
        for (int pair = 0; pair < pairs; pair++) {
          BitWidth weights = BitWidth.of(weightBits.bits().get(pair / activationBits.size()));
          values[layer * pairs + pair] = ModelSize.bytes(network.layer(layer), weights, codebooks);
        }
      }
      return table(
          network,
          resource,
          weightBits,
          activationBits,
          values,
          new double[0],
          false,
          ModelSize.otherBytes(network));
    }

    model.check(network);
    boolean clocked = resource == Resource.LATENCY && model.clocked();
    double[] cycles = new double[clocked ? values.length : 0];
    boolean extrapolated = false;
    Map<Object, RunCost[]> byGeometry =
        distinct(network, model, weightBits, activationBits, checkpoint);
    for (int layer = 0; layer < layers; layer++) {
      RunCost[] costs = byGeometry.get(model.geometry(network, layer));
      for (int pair = 0; pair < pairs; pair++) {
        int cell = layer * pairs + pair;
        RunCost cost = costs[pair];
        values[cell] =
            resource == Resource.LATENCY
                ? cost.latencySeconds()
                : cost.energyJoules().orElseThrow();
        if (clocked) {
          cycles[cell] = cost.cycles();
        }
        extrapolated |= cost.extrapolated();
      }
    }
    return table(network, resource, weightBits, activationBits, values, cycles, extrapolated, 0);
  }

  /** Every distinct geometry's costs, [weight choice][activation choice] row-major. */
  private static Map<Object, RunCost[]> distinct(
      Network network,
      CostModel model,
      BitChoices weightBits,
      BitChoices activationBits,
      Runnable checkpoint) {
    Map<Object, Integer> firstWith = new LinkedHashMap<>();
    for (int layer = 0; layer < network.size(); layer++) {
      firstWith.putIfAbsent(model.geometry(network, layer), layer);
    }
    List<Map.Entry<Object, Integer>> jobs = List.copyOf(firstWith.entrySet());
    List<RunCost[]> costs =
        jobs.parallelStream()
            .map(
                job ->
                    pairs(network, job.getValue(), model, weightBits, activationBits, checkpoint))
            .toList();
    Map<Object, RunCost[]> byGeometry = new LinkedHashMap<>();
    for (int i = 0; i < costs.size(); i++) {
      byGeometry.put(jobs.get(i).getKey(), costs.get(i));
    }
    return byGeometry;
  }

  private static RunCost[] pairs(
      Network network,
      int layer,
      CostModel model,
      BitChoices weightBits,
      BitChoices activationBits,
      Runnable checkpoint) {
    RunCost[] costs = new RunCost[weightBits.size() * activationBits.size()];
    int pair = 0;
    for (int weights : weightBits.bits()) {
      for (int activations : activationBits.bits()) {
        checkpoint.run();
        costs[pair++] = model.run(network, layer, BitWidth.of(weights), BitWidth.of(activations));
      }
    }
    return costs;
  }

  private static void requireAllowed(
      String field, BitChoices wanted, BitChoices allowed, CostModel model) {
    if (!allowed.bits().containsAll(wanted.bits())) {
      throw new HaqException(
          Reason.INVALID_BITS,
          "%s %s: target %s takes %s".formatted(field, wanted, model.name(), allowed));
    }
  }

  private static CostTable table(
      Network network,
      Resource resource,
      BitChoices weightBits,
      BitChoices activationBits,
      double[] values,
      double[] cycles,
      boolean extrapolated,
      double fixed) {
    return new CostTable(
        resource,
        network.layers().stream().map(Layer::name).toList(),
        weightBits,
        activationBits,
        values,
        cycles,
        extrapolated,
        fixed);
  }
}
