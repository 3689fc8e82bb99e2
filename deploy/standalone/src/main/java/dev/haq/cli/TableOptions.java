package dev.haq.cli;

import dev.haq.model.Budget;
import dev.haq.model.HaqException;
import dev.haq.model.Resource;
import dev.haq.proto.hwsim.v1.LookupTable;
import dev.haq.proto.hwsim.v1.TargetRef;
import dev.haq.wire.CostWire;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.Option;

/** How measured tables are read: {@code --target} and each {@code --further-target} that is one. */
final class TableOptions {
  @Option(
      names = "--clock-hz",
      paramLabel = "HZ",
      description =
          "Clock of the measured table: its values are then cycles. Without this option they are"
              + " seconds. For any other target use --set clock_hz=HZ.")
  private double clockHz;

  @Option(
      names = "--table-batch",
      paramLabel = "B",
      description =
          "With a table of measured costs: images in the measured batch; by default what a .csv or"
              + " .json file says, else 1.")
  private int batch;

  @Option(
      names = "--table-resource",
      paramLabel = "R",
      description =
          "With a table of measured costs: what its cells are, latency or energy; by default what a"
              + " .csv or .json file says, and in a .npy file latency, or energy with --resource"
              + " energy.")
  private String resource;

  /**
   * Refuses these options where there is no table for them.
   *
   * @param targets all that the command names
   */
  void checkUsed(List<String> targets) {
    if (batch < 0) {
      throw HaqException.invalid("--table-batch must not be negative");
    }
    if (!(clockHz >= 0) || Double.isInfinite(clockHz)) {
      throw HaqException.invalid("--clock-hz %s: give a clock above 0", clockHz);
    }
    if (targets.stream().anyMatch(TableFile::is)) {
      return;
    }
    String none = "%s is for a table of measured costs, which %s is not: ";
    String names = String.join(", ", targets);
    if (clockHz > 0) {
      throw HaqException.invalid(none + "use --set clock_hz=%s", "--clock-hz", names, clockHz);
    }
    if (batch > 0) {
      throw HaqException.invalid(none + "use --batch %d", "--table-batch", names, batch);
    }
    if (resource != null) {
      throw HaqException.invalid(none + "leave it out", "--table-resource", names);
    }
  }

  /**
   * Reads one.
   *
   * @param wanted what the command is about, which a table is taken to hold where nothing says
   *     otherwise; latency for size, which no table holds
   */
  LookupTable read(String file, Resource wanted) {
    Resource otherwise = wanted == Resource.MODEL_SIZE ? Resource.LATENCY : wanted;
    TableReading how = new TableReading(said(), otherwise, clockHz, batch);
    if (clockHz > 0 && how.resource() == Resource.ENERGY) {
      throw HaqException.invalid("%s: --clock-hz is for cycles, and energy has none", file);
    }
    return TableFile.read(file, how);
  }

  private Optional<Resource> said() {
    if (resource == null) {
      return Optional.empty();
    }
    return switch (resource) {
      case "latency" -> Optional.of(Resource.LATENCY);
      case "energy" -> Optional.of(Resource.ENERGY);
      default -> throw HaqException.invalid("--table-resource %s: use latency or energy", resource);
    };
  }

  /**
   * Refuses a budget on what a table does not hold; size is computed from the network.
   *
   * @param option that names the target, for errors
   */
  static void checkBudgets(String option, TargetRef target, List<Budget> budgets) {
    if (!target.hasLookupTable()) {
      return;
    }
    Resource held = CostWire.fromProto(target.getLookupTable().getResource());
    for (Budget budget : budgets) {
      if (budget.resource() != Resource.MODEL_SIZE && budget.resource() != held) {
        throw HaqException.invalid(
            "%s %s holds %s alone, and a budget limits %s: give a budget of %s or size, or say with"
                + " --table-resource what its cells are",
            option,
            target.getLookupTable().getName(),
            name(held),
            name(budget.resource()),
            name(held));
      }
    }
  }

  private static String name(Resource resource) {
    return resource.name().toLowerCase(Locale.ROOT);
  }
}
