package dev.haq.agent.search;

import dev.haq.model.CostTable;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import dev.haq.model.Resource;

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
