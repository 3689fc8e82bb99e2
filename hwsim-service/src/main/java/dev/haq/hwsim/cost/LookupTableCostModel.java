package dev.haq.hwsim.cost;

import dev.haq.model.BitChoices;
import dev.haq.model.BitWidth;
import dev.haq.model.HaqException;
import dev.haq.model.Layer;
import dev.haq.model.Network;
import dev.haq.model.Resource;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;

/**
 * Costs read from a measured table; nothing is modelled. Its rows are the network's layers of the
 * same name, or, where it has no names, those at the same place.
 */
public final class LookupTableCostModel implements CostModel {
  private final LookupTable table;
  private final Set<Resource> resources;
  private final Map<String, Integer> rows = new LinkedHashMap<>(); // by name, where there are names

  public LookupTableCostModel(LookupTable table) {
    this.table = table;
    this.resources = Set.of(table.resource());
    for (String layer : table.layerNames()) {
      rows.put(layer, rows.size());
    }
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

  /** Every layer of the network has a row of the table, and every row a layer. */
  @Override
  public void check(Network network) {
    if (!rows.isEmpty()) {
      checkNames(network);
    } else if (network.size() != table.layers()) {
      throw HaqException.invalid(
          "table %s has %d layers, network %s has %d: use a table measured for this network",
          name(), table.layers(), network.name(), network.size());
    }
  }

  private void checkNames(Network network) {
    List<String> wanted = network.layers().stream().map(Layer::name).toList();
    for (String layer : wanted) {
      if (!rows.containsKey(layer)) {
        throw HaqException.invalid(
            "table %s has no layer %s, which network %s has; the table's are %s: use a table measured for this network, or leave its layers' names out where they come in the network's order",
            name(), layer, network.name(), some(table.layerNames()));
      }
    }
    Set<String> others = new LinkedHashSet<>(rows.keySet());
    wanted.forEach(others::remove);
    if (!others.isEmpty()) {
      throw HaqException.invalid(
          "table %s has layers that network %s has not, %s: leave them out, or use a table measured for this network",
          name(), network.name(), some(List.copyOf(others)));
    }
  }

  private static String some(List<String> names) {
    int most = 5;
    return String.join(", ", names.subList(0, Math.min(most, names.size())))
        + (names.size() > most ? ", ..." : "");
  }

  /** Every layer has its own cells. */
  @Override
  public Integer geometry(Network network, int layer) {
    return rows.isEmpty() ? Integer.valueOf(layer) : rows.get(network.layer(layer).name());
  }

  @Override
  public RunCost run(Network network, int layer, BitWidth weights, BitWidth activations) {
    int row = geometry(network, layer);
    int w = table.weightBits().indexOf(weights);
    int a = table.activationBits().indexOf(activations);
    double value =
        table.values()[(row * table.weightBits().size() + w) * table.activationBits().size() + a];
    boolean latency = table.resource() == Resource.LATENCY;
    return RunCost.measured(
        clocked() ? value : 0,
        latency ? (clocked() ? value / table.clockHz() : value) : 0,
        latency ? OptionalDouble.empty() : OptionalDouble.of(value));
  }
}
