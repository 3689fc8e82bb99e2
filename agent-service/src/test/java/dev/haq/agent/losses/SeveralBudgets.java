package dev.haq.agent.losses;

import dev.haq.agent.search.BudgetLimit;
import dev.haq.agent.search.HardwareCosts;
import dev.haq.agent.search.Pinning;
import dev.haq.agent.search.ResourceBudget;
import dev.haq.agent.search.Reward;
import dev.haq.agent.search.SearchSettings;
import dev.haq.agent.search.SearchSpace;
import dev.haq.agent.search.SyntheticProblem;
import dev.haq.model.BitChoices;
import dev.haq.model.BitWidth;
import dev.haq.model.Cost;
import dev.haq.model.CostTable;
import dev.haq.model.Layer;
import dev.haq.model.LayerBits;
import dev.haq.model.Network;
import dev.haq.model.Policy;
import dev.haq.model.Resource;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.SplittableRandom;

/** Hardware that limits latency, energy and size, in this order. */
final class SeveralBudgets implements HardwareCosts {
  /** Cost of a layer at two widths. */
  interface LayerCost {
    double of(int layer, int weightBits, int activationBits);
  }

  private final Network network;
  private final List<CostTable> tables;

  private SeveralBudgets(Network network, List<CostTable> tables) {
    this.network = network;
    this.tables = tables;
  }

  /** Latency as the problem has it, energy and size with every layer's share drawn. */
  static SeveralBudgets of(SyntheticProblem problem, long seed) {
    Network network = problem.network();
    double[] drawn = new SplittableRandom(seed).doubles(3L * network.size()).toArray();
    List<Layer> layers = network.layers();
    return new SeveralBudgets(
        network,
        List.of(
            problem.table(),
            table(
                network,
                Resource.ENERGY,
                (l, w, a) -> layers.get(l).macs() * (drawn[3 * l] * w + drawn[3 * l + 1] * a)),
            table(
                network,
                Resource.MODEL_SIZE,
                (l, w, a) -> layers.get(l).macs() * drawn[3 * l + 2] * w)));
  }

  static SeveralBudgets of(Network network, LayerCost latency, LayerCost energy) {
    return new SeveralBudgets(
        network,
        List.of(
            table(network, Resource.LATENCY, latency), table(network, Resource.ENERGY, energy)));
  }

  /**
   * @param parts of each budget's way from the narrowest policy to the widest
   */
  SearchSpace space(BitChoices widths, double... parts) {
    Policy widest = Policy.uniform(network.size(), LayerBits.of(8, 8));
    Policy narrowest = widest;
    for (int layer = 1; layer < network.size() - 1; layer++) {
      BitWidth least = BitWidth.of(widths.min());
      narrowest = narrowest.with(layer, new LayerBits(least, least));
    }
    double[] limits = new double[parts.length];
    for (int i = 0; i < parts.length; i++) {
      double low = tables.get(i).cost(narrowest);
      double high = tables.get(i).cost(widest);
      limits[i] = parts[i] * high + (1 - parts[i]) * low;
    }
    return within(widths, limits);
  }

  /**
   * @param limits of each budget, in the resource's unit
   */
  SearchSpace within(BitChoices widths, double... limits) {
    Policy widest = Policy.uniform(network.size(), LayerBits.of(8, 8));
    List<ResourceBudget> budgets = new ArrayList<>();
    for (int i = 0; i < limits.length; i++) {
      BudgetLimit limit = new BudgetLimit(limits[i], tables.get(i).cost(widest));
      budgets.add(new ResourceBudget(tables.get(i), limit));
    }
    return new SearchSpace(
        new SearchSettings(
            network, budgets, widths, widths, Pinning.FIRST_AND_LAST, Reward.KL_DIVERGENCE, 1, 60));
  }

  private static CostTable table(Network network, Resource resource, LayerCost cost) {
    BitChoices bits = BitChoices.TABLE;
    double[] values = new double[network.size() * bits.size() * bits.size()];
    int cell = 0;
    for (int layer = 0; layer < network.size(); layer++) {
      for (int w : bits.bits()) {
        for (int a : bits.bits()) {
          values[cell++] = cost.of(layer, w, a);
        }
      }
    }
    return new CostTable(
        resource,
        network.layers().stream().map(Layer::name).toList(),
        bits,
        bits,
        values,
        new double[0],
        false);
  }

  @Override
  public CostTable table(Resource resource) {
    return tables.stream().filter(table -> table.resource() == resource).findFirst().orElseThrow();
  }

  @Override
  public Cost simulate(Policy policy) {
    return new Cost(
        0,
        table(Resource.LATENCY).cost(policy),
        OptionalDouble.of(table(Resource.ENERGY).cost(policy)),
        table(Resource.MODEL_SIZE).cost(policy));
  }
}
