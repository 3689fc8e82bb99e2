package dev.haq.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.haq.proto.hwsim.v1.Target;
import dev.haq.proto.model.v1.BitChoices;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The hardware that there is. */
@Command(
    name = "targets",
    description = "Lists the hardware targets.",
    mixinStandardHelpOptions = true)
final class TargetsCommand implements Callable<Integer> {
  @Mixin private CommonOptions common;

  @Option(
      names = "--show",
      paramLabel = "NAME",
      description = "Show one target's whole description: every figure with its source.")
  private String show;

  @Override
  public Integer call() {
    Terminal terminal = common.terminal();
    try (Connection connection = Connection.open(common)) {
      if (show != null) {
        Target target = connection.client().target(show);
        if (terminal.json()) {
          terminal.document(Json.tree(target));
        } else {
          terminal.line(target.getDescriptionYaml().strip());
        }
        return Haq.DONE;
      }
      List<Target> targets = connection.client().targets();
      if (terminal.json()) {
        ObjectNode document = Json.object();
        document.set("targets", Json.array(targets));
        terminal.document(document);
      } else {
        terminal.line(
            Tables.of(
                List.of("<target", "<resources", "<bits (W, A)", "batch", "MHz", "<description"),
                targets.stream().map(TargetsCommand::row).toList()));
      }
      return Haq.DONE;
    }
  }

  private static List<String> row(Target target) {
    return List.of(
        target.getName(),
        target.getResourcesList().stream().map(Figures::name).collect(Collectors.joining(", ")),
        bits(target.getWeightBits()) + ", " + bits(target.getActivationBits()),
        Integer.toString(target.getBatch()),
        target.getClockHz() > 0 ? Figures.grouped(target.getClockHz() / 1e6) : "-",
        target.getDescription() + (target.getCalibrated() ? " (calibrated, not derived)" : ""));
  }

  /** Such as {@code 1..8}, or {@code 2/4/8} where there are gaps. */
  private static String bits(BitChoices choices) {
    List<Integer> bits = choices.getBitsList();
    if (bits.isEmpty()) {
      return "any";
    }
    int first = bits.get(0);
    int last = bits.get(bits.size() - 1);
    return bits.size() > 1 && last - first + 1 == bits.size()
        ? first + ".." + last
        : bits.stream().map(String::valueOf).collect(Collectors.joining("/"));
  }
}
