package dev.haq.hwsim.cost;

import dev.haq.model.BitChoices;
import dev.haq.model.BitWidth;
import dev.haq.model.HaqException;
import dev.haq.model.Network;
import dev.haq.model.Resource;
import java.util.OptionalDouble;
import java.util.Set;

/** Costs read from a measured table; nothing is modelled. */
public final class LookupTableCostModel implements CostModel {
  private final LookupTable table;
  private final Set<Resource> resources;

  public LookupTableCostModel(LookupTable table) {
    this.table = table;
    this.resources = Set.of(table.resource());
  }

  @Override
  public String name() {
    return table.name().isBlank() ? "lookup_table" : table.name();
  }

  @Override
  public Set<Resource> resources() {
    return resources;
  }

  @Override
  public BitChoices weightBits() {
    return table.weightBits();
  }

  @Override
  public BitChoices activationBits() {
    return table.activationBits();
  }

  @Override
  public int batch() {
    return table.batch();
  }

  @Override
  public boolean clocked() {
    return table.clockHz() > 0;
  }

  @Override
  public String missing(Resource resource) {
    return "its table holds " + table.resource();
  }

  @Override
  public void check(Network network) {
    if (network.size() != table.layers()) {
      throw HaqException.invalid(
          "lookup_table has %d layers, network %s has %d: use a table measured for this network",
          table.layers(), network.name(), network.size());
    }
    for (int i = 0; i < table.layerNames().size(); i++) {
      if (!table.layerNames().get(i).equals(network.layer(i).name())) {
        throw HaqException.invalid(
            "lookup_table.layer_names[%d] is %s, but layer %d of the network is %s: the names must be the network's, in its order",
            i, table.layerNames().get(i), i, network.layer(i).name());
      }
    }
  }

  /** Every layer has its own cells. */
  @Override
  public Integer geometry(Network network, int layer) {
    return layer;
  }

  @Override
  public RunCost run(Network network, int layer, BitWidth weights, BitWidth activations) {
    int w = table.weightBits().indexOf(weights);
    int a = table.activationBits().indexOf(activations);
    double value =
        table.values()[(layer * table.weightBits().size() + w) * table.activationBits().size() + a];
    boolean latency = table.resource() == Resource.LATENCY;
    return RunCost.measured(
        clocked() ? value : 0,
        latency ? (clocked() ? value / table.clockHz() : value) : 0,
        latency ? OptionalDouble.empty() : OptionalDouble.of(value));
  }
}
