package dev.haq.agent.search;

import dev.haq.model.CostTable;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import dev.haq.model.Resource;
import java.util.Arrays;

/**
 * The most that a policy may cost of one resource, and what every bit-width costs of it.
 *
 * @param table of the same resource as the budget
 * @param target name of the target whose budget it is; empty where there is only one
 */
public record ResourceBudget(CostTable table, BudgetLimit budget, String target) {
  /** Of the only target. */
  public ResourceBudget(CostTable table, BudgetLimit budget) {
    this(table, budget, "");
  }

  /**
   * A budget of the only target that no policy exceeds: what the dearest widths of all layers cost.
   *
   * @param reference what cost ratios refer to, in the resource's unit
   */
  public static ResourceBudget unlimited(CostTable table, double reference) {
    double[] values = table.values();
    int cells = values.length / table.layers().size();
    double dearest = 0;
    for (int layer = 0; layer < table.layers().size(); layer++) {
      dearest += Arrays.stream(values, layer * cells, (layer + 1) * cells).max().orElseThrow();
    }
    return new ResourceBudget(table, new BudgetLimit(dearest + table.fixed(), reference));
  }

  public Resource resource() {
    return table.resource();
  }

  /** Cost of {@code policy}, in the resource's unit. */
  public double cost(Policy policy) {
    return table.cost(policy);
  }

  /** Cost of {@code policy}, of the budget: 1 uses it up. */
  public double share(Policy policy) {
    return cost(policy) / budget.limit();
  }

  /** The same of one layer alone. */
  public double share(int layer, LayerBits bits) {
    return table.cost(layer, bits) / budget.limit();
  }

  /** The same of what no width changes. */
  public double fixedShare() {
    return table.fixed() / budget.limit();
  }

  public boolean isMetBy(Policy policy) {
    return cost(policy) <= budget.limit();
  }

  /**
   * Whether the target has all widths of {@code policy}. Activations left in float have no cost
   * beside the model's size.
   */
  public boolean prices(Policy policy) {
    for (LayerBits bits : policy.layers()) {
      boolean floats = table.resource() == Resource.MODEL_SIZE && bits.activations().isFloat();
      if (!table.weightBits().contains(bits.weights())
          || !(floats || table.activationBits().contains(bits.activations()))) {
        return false;
      }
    }
    return true;
  }
}
