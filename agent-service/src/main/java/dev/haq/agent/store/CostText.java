package dev.haq.agent.store;

import dev.haq.agent.search.TargetCost;
import dev.haq.model.Cost;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * Costs on further targets as the episode log keeps them: {@code cycles seconds joules bytes ratio
 * eligible}, separated by semicolons; nothing where a target cannot run the policy, and {@code -}
 * for no energy.
 */
final class CostText {
  private static final String NO_ENERGY = "-";

  private CostText() {}

  static String format(List<Optional<TargetCost>> costs) {
    return String.join(
        ";", costs.stream().map(cost -> cost.map(CostText::format).orElse("")).toList());
  }

  private static String format(TargetCost target) {
    Cost cost = target.cost();
    OptionalDouble energy = cost.energyJoules();
    return String.join(
        " ",
        Double.toString(cost.cycles()),
        Double.toString(cost.latencySeconds()),
        energy.isPresent() ? Double.toString(energy.getAsDouble()) : NO_ENERGY,
        Double.toString(cost.modelSizeBytes()),
        Double.toString(target.ratio()),
        Boolean.toString(target.eligible()));
  }

  static List<Optional<TargetCost>> parse(String text) {
    List<Optional<TargetCost>> costs = new ArrayList<>();
    for (String target : text.split(";", -1)) {
      costs.add(target.isEmpty() ? Optional.empty() : Optional.of(parseTarget(target)));
    }
    return costs;
  }

  private static TargetCost parseTarget(String text) {
    String[] parts = text.split(" ", -1);
    return new TargetCost(
        new Cost(
            Double.parseDouble(parts[0]),
            Double.parseDouble(parts[1]),
            parts[2].equals(NO_ENERGY)
                ? OptionalDouble.empty()
                : OptionalDouble.of(Double.parseDouble(parts[2])),
            Double.parseDouble(parts[3])),
        Double.parseDouble(parts[4]),
        Boolean.parseBoolean(parts[5]));
  }
}
