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
import dev.haq.wire.LayerText;
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
  @Mixin private CodebookOption codebooks;

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
      SimulateRequest.Builder request =
          SimulateRequest.newBuilder()
              .setTarget(resolved.ref())
              .setNetwork(known.getNetwork())
              .setPolicy(bits)
              .setExcludeFirstAndLast(excludeFirstAndLast)
              .setCountCodebooks(codebooks.counted());
      if (KnownCost.hasFloat(bits)) {
        request.addResources(dev.haq.proto.model.v1.Resource.MODEL_SIZE);
      }
      SimulateResponse answer = client.simulate(request.build());
      if (terminal.json()) {
        terminal.document(document(known, resolved.name(), bits, answer));
      } else {
        terminal.line(table(known, answer));
        terminal.line(summary(known, resolved.name(), answer));
      }
      return Haq.DONE;
    }
  }

  private static ObjectNode document(
      Model model, String target, Policy policy, SimulateResponse answer) {
    ObjectNode document = Json.object().put("model", model.getId()).put("target", target);
    document.set("policy", PolicyFile.tree(policy));
    document.setAll(KnownCost.tree(answer));
    return document;
  }

  private static String table(Model model, SimulateResponse answer) {
    boolean timed = KnownCost.isTimed(answer.getTotal());
    boolean energy = answer.getTotal().hasEnergyJoules();
    boolean run = timed || energy;
    List<String> headings = new ArrayList<>(List.of("#", "<layer", "<kind", "W", "A"));
    if (timed) {
      headings.addAll(List.of("cycles", "ms"));
    }
    if (energy) {
      headings.add("mJ");
    }
    headings.add("size kB");
    if (run) {
      headings.addAll(List.of("utilised", "<bound by"));
    }
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
      if (run) {
        row.addAll(reasons(layer));
      }
      rows.add(row);
    }
    List<String> total = new ArrayList<>(List.of("", "total", "", "", ""));
    total.addAll(costs(answer.getTotal(), timed, energy));
    if (run) {
      total.addAll(List.of("", ""));
    }
    rows.add(total);
    return Tables.of(headings, rows);
  }

  /** How busy the target is with a layer, and what binds it. */
  private static List<String> reasons(LayerCost layer) {
    return List.of(
        layer.hasUtilisation() ? Figures.fixed(100 * layer.getUtilisation(), 1) + " %" : "-",
        Figures.name(layer.getBoundBy()) + (layer.getExtrapolated() ? " (extrapolated)" : ""));
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

  /** With the first of time, energy and size that is known. */
  private static String summary(Model model, String target, SimulateResponse answer) {
    dev.haq.proto.model.v1.Resource resource =
        KnownCost.isTimed(answer.getTotal())
            ? dev.haq.proto.model.v1.Resource.LATENCY
            : answer.getTotal().hasEnergyJoules()
                ? dev.haq.proto.model.v1.Resource.ENERGY
                : dev.haq.proto.model.v1.Resource.MODEL_SIZE;
    return "%s on %s, batch %d: %s%s"
        .formatted(
            model.getName(),
            target,
            answer.getBatch(),
            Figures.amount(resource, Figures.of(answer.getTotal(), resource)),
            answer.getExtrapolated() ? Figures.EXTRAPOLATED : "");
  }

  private static String weights(LayerBits bits) {
    return Figures.bits(bits.hasWeightBits(), bits.getWeightBits());
  }

  private static String activations(LayerBits bits) {
    return Figures.bits(bits.hasActivationBits(), bits.getActivationBits());
  }
}
