package dev.haq.hwsim.cost;

import dev.haq.model.BitChoices;
import dev.haq.model.CostTable;
import dev.haq.model.Network;
import dev.haq.model.Policy;
import dev.haq.model.Resource;
import java.util.Set;

/** Costs without codebooks, for somebody who waits for them. */
final class PlainCosts {
  private PlainCosts() {}

  static Simulation simulation(
      Network network,
      CostModel model,
      Policy policy,
      Set<Resource> resources,
      boolean excludeFirstAndLast) {
    return Simulation.of(network, model, policy, resources, excludeFirstAndLast, false, () -> {});
  }

  static CostTable table(
      Network network,
      CostModel model,
      Resource resource,
      BitChoices weightBits,
      BitChoices activationBits) {
    return CostTableBuilder.build(
        network, model, resource, weightBits, activationBits, false, () -> {});
  }
}
