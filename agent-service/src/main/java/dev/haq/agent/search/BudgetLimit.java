package dev.haq.agent.search;

import dev.haq.model.BitChoices;
import dev.haq.model.BitWidth;
import dev.haq.model.Budget;
import dev.haq.model.CostTable;
import dev.haq.model.HaqException;
import dev.haq.model.LayerBits;
import dev.haq.model.Network;
import dev.haq.model.Policy;
import dev.haq.model.Resource;
import java.util.Locale;

/**
 * A budget in the resource's unit (s, J, B), with what its ratio refers to.
 *
 * @param limit the most a policy may cost, above 0
 * @param reference cost of the 8-bit policy (latency, energy) or of the float model (model size),
 *     above 0
 */
public record BudgetLimit(double limit, double reference) {
  public BudgetLimit {
    if (!(limit > 0) || !(reference > 0)) {
      throw HaqException.invalid(
          "budget limit %s and reference cost %s must be above 0", limit, reference);
    }
  }

  /** The budget as a limit on this network and target: asks for one simulation. */
  public static BudgetLimit of(Budget budget, Network network, HardwareCosts costs) {
    double reference = reference(budget.resource(), network, costs);
    if (!(reference > 0)) {
      throw HaqException.invalid(
          "a budget limits %s, of which the 8-bit policy costs %s %s on the target: give costs above 0",
          budget.resource().name().toLowerCase(Locale.ROOT), reference, budget.resource().unit());
    }
    return new BudgetLimit(budget.limit(reference), reference);
  }

  /** What ratios refer to, in the resource's unit: asks for one simulation. */
  public static double reference(Resource resource, Network network, HardwareCosts costs) {
    return costs.simulate(referencePolicy(resource, network, costs.table(resource))).of(resource);
  }

  /** {@code cost} as a share of the reference. */
  public double ratio(double cost) {
    return cost / reference;
  }

  /** What ratios refer to (paper, 4.1): 8 bits everywhere, or float for model size. */
  public static Policy referencePolicy(Resource resource, Network network, CostTable table) {
    return resource == Resource.MODEL_SIZE
        ? Policy.unquantized(network.size())
        : Policy.uniform(
            network.size(),
            new LayerBits(
                eightOrWidest(table.weightBits()), eightOrWidest(table.activationBits())));
  }

  /** 8 bits, or the widest a target has where it has no 8. */
  static BitWidth eightOrWidest(BitChoices choices) {
    BitWidth eight = BitWidth.of(8);
    return choices.contains(eight) ? eight : BitWidth.of(choices.max());
  }
}
