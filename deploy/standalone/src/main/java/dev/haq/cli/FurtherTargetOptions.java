package dev.haq.cli;

import dev.haq.model.Budget;
import dev.haq.model.HaqException;
import dev.haq.model.Resource;
import dev.haq.proto.agent.v1.FurtherTarget;
import dev.haq.proto.hwsim.v1.TargetRef;
import dev.haq.wire.CostWire;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Option;

/** The targets of a search beside {@code --target}. */
final class FurtherTargetOptions {
  private static final String OPTION = "--further-target";

  @Option(
      names = OPTION,
      paramLabel = "TARGET[=LIMIT]",
      description =
          "Search for this target too, with the same evaluations: a name or a file, as with"
              + " --target; repeatable. One best policy a target, and one for all of them. Its"
              + " limit is --budget's ratio, or its own: bitfusion=0.5, bitfusion=5ms; with --also"
              + " bitfusion=0.5,energy=0.7.")
  private List<String> further = new ArrayList<>();

  /** The targets without their limits. */
  List<String> names() {
    return further.stream().map(FurtherTargetOptions::name).toList();
  }

  /**
   * @param tables how those that are measured tables are read
   * @param budgets of {@code --target}
   */
  List<FurtherTarget> resolve(GatewayClient client, TableOptions tables, List<Budget> budgets) {
    List<FurtherTarget> targets = new ArrayList<>();
    for (String text : further) {
      FurtherTarget target = parse(text, tables, budgets);
      // An unknown one is refused at once.
      TargetOptions.resolve(client, OPTION + " " + name(text), target.getTarget());
      TableOptions.checkBudgets(
          OPTION,
          target.getTarget(),
          target.getBudgetsCount() == 0
              ? budgets
              : target.getBudgetsList().stream().map(CostWire::fromProto).toList());
      targets.add(target);
    }
    return targets;
  }

  /**
   * @param text a target, and its limits behind the first "="
   */
  static FurtherTarget parse(String text, TableOptions tables, List<Budget> budgets) {
    String name = name(text);
    Resource main = budgets.get(0).resource();
    TargetRef ref = TargetOptions.ref(OPTION, name, tables, main).build();
    FurtherTarget.Builder target = FurtherTarget.newBuilder().setTarget(ref);
    if (name.length() < text.length()) {
      limits(name, text.substring(name.length() + 1), budgets)
          .forEach(limit -> target.addBudgets(CostWire.toProto(limit)));
    }
    return target.build();
  }

  private static String name(String text) {
    int equals = Files.isRegularFile(Path.of(text)) ? -1 : text.indexOf('=');
    return equals < 0 ? text : text.substring(0, equals);
  }

  /** Those of the text, and of the others the ratios, which mean the same on any target. */
  private static List<Budget> limits(String name, String text, List<Budget> budgets) {
    Map<Resource, Budget> own = new EnumMap<>(Resource.class);
    for (String part : text.split(",", -1)) {
      Budget limit = limit(part, budgets.get(0).resource());
      if (own.put(limit.resource(), limit) != null) {
        throw HaqException.invalid(
            "%s %s=%s: there are two limits of %s", OPTION, name, text, limit.resource());
      }
    }
    List<Budget> limits = new ArrayList<>();
    for (Budget budget : budgets) {
      Budget limit = own.remove(budget.resource());
      if (limit == null
          && budget.kind() == Budget.Kind.ABSOLUTE
          && budget.resource() != Resource.MODEL_SIZE) {
        throw HaqException.invalid(
            "%s %s: the limit of %s is an amount on --target: give %s one of its own",
            OPTION, name, budget.resource(), name);
      }
      limits.add(limit == null ? budget : limit);
    }
    limits.addAll(own.values());
    return limits;
  }

  /** {@code 0.6}, {@code 5ms} or {@code energy=0.7}. */
  private static Budget limit(String part, Resource main) {
    int equals = part.indexOf('=');
    if (equals >= 0) {
      Resource resource = ResourceOption.parse(OPTION, part.substring(0, equals));
      return BudgetText.parse(OPTION, part.substring(equals + 1), resource);
    }
    Budget limit = BudgetText.parse(OPTION, part, null);
    return limit.kind() == Budget.Kind.RATIO ? Budget.ratio(main, limit.value()) : limit;
  }
}
