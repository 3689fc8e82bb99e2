package dev.haq.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.haq.model.Resource;
import dev.haq.proto.hwsim.v1.FindParameterRequest;
import dev.haq.proto.hwsim.v1.FindParameterResponse;
import dev.haq.proto.quantizer.v1.Model;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How good a machine would have to be. */
@Command(
    name = "find-parameter",
    description =
        "Finds the smallest value of one figure of a target (bandwidth, clock, buffer) with which a policy meets a latency.",
    mixinStandardHelpOptions = true)
final class FindParameterCommand implements Callable<Integer> {
  /** Of a figure that is found to one part in a million. What is less might not do. */
  private static final MathContext DIGITS = new MathContext(7, RoundingMode.CEILING);

  @Mixin private CommonOptions common;
  @Mixin private ModelOption model;
  @Mixin private TargetOptions target;
  @Mixin private PolicyOptions policy;

  @Option(
      names = "--key",
      required = true,
      paramLabel = "KEY",
      description =
          "The figure, such as bit_fusion.dram_bits_per_cycle; 'haq targets --show NAME' lists them. Latency must not rise with it.")
  private String key;

  @Option(
      names = "--from",
      required = true,
      paramLabel = "N",
      description = "The smallest value to look at, above 0, in the figure's unit.")
  private double lowest;

  @Option(
      names = "--to",
      required = true,
      paramLabel = "N",
      description = "The largest value to look at.")
  private double highest;

  @Option(
      names = "--latency",
      required = true,
      paramLabel = "TIME",
      description = "The latency of a batch to meet, such as 12ms; s, ms or us.")
  private String latency;

  @Override
  public Integer call() {
    Terminal terminal = common.terminal();
    double seconds = BudgetText.seconds("--latency", latency);
    try (Connection connection = Connection.open(common)) {
      GatewayClient client = connection.client();
      TargetOptions.Resolved resolved = target.resolve(client, Resource.LATENCY);
      Model known = model.resolve(client, common.terminal());
      FindParameterResponse found =
          client.findParameter(
              FindParameterRequest.newBuilder()
                  .setTarget(resolved.ref())
                  .setNetwork(known.getNetwork())
                  .setPolicy(policy.quantized(known))
                  .setKey(key)
                  .setLowest(lowest)
                  .setHighest(highest)
                  .setLatencySeconds(seconds)
                  .build());
      if (terminal.json()) {
        ObjectNode document =
            Json.object()
                .put("model", known.getId())
                .put("target", resolved.name())
                .put("key", key)
                .put("latency_seconds", seconds);
        document.setAll((ObjectNode) Json.tree(found));
        terminal.document(document);
      } else {
        terminal.line(
            "%s = %s%s: %s on %s, batch %d, then takes %s (at most %s); %d values tried%s",
            key,
            text(found.getValue()),
            found.getValue() == lowest ? ", the smallest asked for, will do" : "",
            known.getName(),
            resolved.name(),
            found.getBatch(),
            time(found.getCost().getLatencySeconds()),
            time(seconds),
            found.getSimulations(),
            found.getExtrapolated() ? Figures.EXTRAPOLATED : "");
      }
      return Haq.DONE;
    }
  }

  /** A value that does, as {@code --set} takes it. */
  static String text(double value) {
    BigDecimal exact = new BigDecimal(value);
    boolean whole = value == Math.rint(value);
    return (whole ? exact : exact.round(DIGITS)).stripTrailingZeros().toPlainString();
  }

  private static String time(double seconds) {
    return Figures.amount(dev.haq.proto.model.v1.Resource.LATENCY, seconds);
  }
}
