package dev.haq.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.haq.model.Resource;
import dev.haq.proto.hwsim.v1.Counterfactual;
import dev.haq.proto.hwsim.v1.ExplainRequest;
import dev.haq.proto.hwsim.v1.ExplainResponse;
import dev.haq.proto.hwsim.v1.LayerExplanation;
import dev.haq.proto.model.v1.EnergySplit;
import dev.haq.proto.model.v1.LayerBits;
import dev.haq.proto.model.v1.Policy;
import dev.haq.proto.quantizer.v1.Model;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Why a policy costs what it costs. */
@Command(
    name = "explain",
    description =
        "Says what binds each layer on a target, where it stands under the roofline, and what one bit fewer or more would change.",
    mixinStandardHelpOptions = true)
final class ExplainCommand implements Callable<Integer> {
  private static final double GIGA = 1e9;
  private static final String NONE = "-";

  @Mixin private CommonOptions common;
  @Mixin private ModelOption model;
  @Mixin private TargetOptions target;
  @Mixin private PolicyOptions policy;

  @Override
  public Integer call() {
    Terminal terminal = common.terminal();
    try (Connection connection = Connection.open(common)) {
      GatewayClient client = connection.client();
      TargetOptions.Resolved resolved = target.resolve(client, Resource.LATENCY);
      Model known = model.resolve(client, common.terminal());
      Policy bits = policy.quantized(known);
      ExplainResponse answer =
          client.explain(
              ExplainRequest.newBuilder()
                  .setTarget(resolved.ref())
                  .setNetwork(known.getNetwork())
                  .setPolicy(bits)
                  .build());
      if (terminal.json()) {
        ObjectNode document =
            Json.object().put("model", known.getId()).put("target", resolved.name());
        document.setAll((ObjectNode) Json.tree(answer));
        terminal.document(document);
      } else {
        terminal.line(table(answer));
        terminal.line(
            "M/B: operations per byte of memory traffic; G/s: billions of operations per second, achieved and at most possible; W-/W+, A-/A+: change in latency (and energy) with weights or activations one step narrower or wider");
        if (answer.getExtrapolated()) {
          terminal.line(
              "* rests on parts of the cost model that no published figure checks (extrapolated)");
        }
      }
      return Haq.DONE;
    }
  }

  private static String table(ExplainResponse answer) {
    boolean energy = answer.getTotal().hasEnergyJoules();
    List<String> headings =
        new ArrayList<>(
            List.of(
                "#",
                "<layer",
                "W",
                "A",
                "ms",
                "<bound by",
                "used",
                "M/B",
                "G/s",
                "of",
                "traffic kB"));
    if (energy) {
      headings.addAll(List.of("mJ", "<compute/SRAM/DRAM"));
    }
    headings.addAll(List.of("W-", "W+", "A-", "A+"));
    List<List<String>> rows = new ArrayList<>();
    for (int i = 0; i < answer.getLayersCount(); i++) {
      rows.add(row(i, answer.getLayers(i), energy));
    }
    return Tables.of(headings, rows);
  }

  private static List<String> row(int index, LayerExplanation layer, boolean energy) {
    LayerBits bits = layer.getCost().getBits();
    List<String> row = new ArrayList<>();
    row.add(Integer.toString(index + 1));
    row.add(bits.getName());
    row.add(Figures.bits(bits.hasWeightBits(), bits.getWeightBits()));
    row.add(Figures.bits(bits.hasActivationBits(), bits.getActivationBits()));
    double seconds = layer.getCost().getCost().getLatencySeconds();
    row.add(seconds > 0 ? Figures.milliseconds(seconds) : NONE); // a table of energy has no times
    row.add(
        Figures.name(layer.getCost().getBoundBy())
            + (layer.getCost().getExtrapolated() ? "*" : ""));
    row.add(
        layer.getCost().hasUtilisation()
            ? Figures.fixed(100 * layer.getCost().getUtilisation(), 1) + " %"
            : NONE);
    row.add(figure(layer.hasOperationalIntensity(), layer.getOperationalIntensity()));
    row.add(figure(layer.hasReachedMacsPerSecond(), layer.getReachedMacsPerSecond() / GIGA));
    row.add(figure(layer.hasAttainableMacsPerSecond(), layer.getAttainableMacsPerSecond() / GIGA));
    row.add(figure(layer.getCost().hasTrafficBytes(), layer.getCost().getTrafficBytes() / 1e3));
    if (energy) {
      row.add(Figures.fixed(layer.getCost().getCost().getEnergyJoules() * 1e3, 4));
      row.add(layer.getCost().hasEnergySplit() ? split(layer.getCost().getEnergySplit()) : NONE);
    }
    row.addAll(changes(layer, bits));
    return row;
  }

  /** Changes of latency and energy in percent: fewer and more weight bits, then activation bits. */
  private static List<String> changes(LayerExplanation layer, LayerBits bits) {
    List<String> cells = new ArrayList<>(List.of(NONE, NONE, NONE, NONE));
    for (Counterfactual other : layer.getCounterfactualsList()) {
      boolean weights = other.getWeightBits() != bits.getWeightBits();
      boolean more =
          other.getWeightBits() > bits.getWeightBits()
              || other.getActivationBits() > bits.getActivationBits();
      String text =
          percent(other.getLatencySecondsChange(), layer.getCost().getCost().getLatencySeconds());
      if (other.hasEnergyJoulesChange()) {
        text +=
            " ("
                + percent(
                    other.getEnergyJoulesChange(), layer.getCost().getCost().getEnergyJoules())
                + ")";
      }
      cells.set((weights ? 0 : 2) + (more ? 1 : 0), text);
    }
    return cells;
  }

  private static String percent(double change, double of) {
    return of > 0 ? String.format(Locale.ROOT, "%+.1f %%", 100 * change / of) : NONE;
  }

  private static String split(EnergySplit split) {
    double total =
        split.getComputeJoules()
            + split.getSramJoules()
            + split.getDramJoules()
            + split.getStaticJoules();
    return total == 0
        ? NONE
        : "%.0f/%.0f/%.0f %%"
            .formatted(
                100 * split.getComputeJoules() / total,
                100 * split.getSramJoules() / total,
                100 * split.getDramJoules() / total);
  }

  private static String figure(boolean present, double value) {
    return present ? Figures.plain(value) : NONE;
  }
}
