package dev.haq.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.haq.model.Resource;
import dev.haq.proto.hwsim.v1.SimulateRequest;
import dev.haq.proto.hwsim.v1.SimulateResponse;
import dev.haq.proto.model.v1.Cost;
import dev.haq.proto.model.v1.LayerBits;
import dev.haq.proto.model.v1.LayerCost;
import dev.haq.proto.model.v1.Policy;
import dev.haq.proto.quantizer.v1.Model;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What a policy costs, layer by layer. */
@Command(
    name = "simulate",
    description = "Says what a policy costs on a target, layer by layer.",
    mixinStandardHelpOptions = true)
final class SimulateCommand implements Callable<Integer> {
  @Mixin private CommonOptions common;
  @Mixin private ModelOption model;
  @Mixin private TargetOptions target;
  @Mixin private PolicyOptions policy;

  @Option(
      names = "--exclude-first-and-last",
      description = "Leave the first and the last layer out of the totals, as the paper prints.")
  private boolean excludeFirstAndLast;

  @Override
  public Integer call() {
    Terminal terminal = common.terminal();
    try (Connection connection = Connection.open(common)) {
      GatewayClient client = connection.client();
      TargetOptions.Resolved resolved = target.resolve(client, Resource.LATENCY);
      Model known = model.resolve(client, common.terminal());
      Policy bits = policy.required(known);
      SimulateResponse answer =
          client.simulate(
              SimulateRequest.newBuilder()
                  .setTarget(resolved.ref())
                  .setNetwork(known.getNetwork())
                  .setPolicy(bits)
                  .setExcludeFirstAndLast(excludeFirstAndLast)
                  .build());
      if (terminal.json()) {
        terminal.document(document(known, resolved.name(), bits, answer));
      } else {
        // A measured table of energy says nothing of time.
        boolean timed =
            resolved.ref().getLookupTable().getResource() != dev.haq.proto.model.v1.Resource.ENERGY;
        terminal.line(table(known, answer, timed));
        terminal.line(summary(known, resolved.name(), answer, timed));
      }
      return Haq.DONE;
    }
  }

  private static ObjectNode document(
      Model model, String target, Policy policy, SimulateResponse answer) {
    ObjectNode document = Json.object().put("model", model.getId()).put("target", target);
    document.set("policy", PolicyFile.tree(policy));
    document.setAll((ObjectNode) Json.tree(answer));
    return document;
  }

  private static String table(Model model, SimulateResponse answer, boolean timed) {
    boolean energy = answer.getTotal().hasEnergyJoules();
    List<String> headings = new ArrayList<>(List.of("#", "<layer", "<kind", "W", "A"));
    if (timed) {
      headings.addAll(List.of("cycles", "ms"));
    }
    if (energy) {
      headings.add("mJ");
    }
    headings.addAll(List.of("size kB", "utilised", "<bound by"));
    List<List<String>> rows = new ArrayList<>();
    for (int i = 0; i < answer.getLayersCount(); i++) {
      LayerCost layer = answer.getLayers(i);
      List<String> row =
          new ArrayList<>(
              List.of(
                  Integer.toString(i + 1),
                  model.getNetwork().getLayers(i).getName(),
                  LayerText.kind(model.getNetwork().getLayers(i)),
                  weights(layer.getBits()),
                  activations(layer.getBits())));
      row.addAll(costs(layer.getCost(), timed, energy));
      row.add(layer.hasUtilisation() ? Figures.fixed(100 * layer.getUtilisation(), 1) + " %" : "-");
      row.add(
          Figures.name(layer.getBoundBy()) + (layer.getExtrapolated() ? " (extrapolated)" : ""));
      rows.add(row);
    }
    List<String> total = new ArrayList<>(List.of("", "total", "", "", ""));
    total.addAll(costs(answer.getTotal(), timed, energy));
    total.addAll(List.of("", ""));
    rows.add(total);
    return Tables.of(headings, rows);
  }

  private static List<String> costs(Cost cost, boolean timed, boolean energy) {
    List<String> cells = new ArrayList<>();
    if (timed) {
      cells.add(Figures.grouped(cost.getCycles()));
      cells.add(Figures.milliseconds(cost.getLatencySeconds()));
    }
    if (energy) {
      cells.add(Figures.fixed(cost.getEnergyJoules() * 1e3, 4));
    }
    cells.add(Figures.fixed(cost.getModelSizeBytes() / 1e3, 2));
    return cells;
  }

  private static String summary(
      Model model, String target, SimulateResponse answer, boolean timed) {
    return "%s on %s, batch %d: %s%s"
        .formatted(
            model.getName(),
            target,
            answer.getBatch(),
            timed
                ? Figures.amount(
                    dev.haq.proto.model.v1.Resource.LATENCY, answer.getTotal().getLatencySeconds())
                : Figures.amount(
                    dev.haq.proto.model.v1.Resource.ENERGY, answer.getTotal().getEnergyJoules()),
            answer.getExtrapolated() ? Figures.EXTRAPOLATED : "");
  }

  private static String weights(LayerBits bits) {
    return Figures.bits(bits.hasWeightBits(), bits.getWeightBits());
  }

  private static String activations(LayerBits bits) {
    return Figures.bits(bits.hasActivationBits(), bits.getActivationBits());
  }
}
