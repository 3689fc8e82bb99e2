package dev.haq.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.haq.proto.agent.v1.Episode;
import dev.haq.proto.agent.v1.EpisodeCost;
import dev.haq.proto.agent.v1.FleetResult;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.TargetResult;
import dev.haq.proto.hwsim.v1.SimulateResponse;
import dev.haq.proto.hwsim.v1.TargetRef;
import dev.haq.proto.model.v1.Accuracy;
import dev.haq.proto.model.v1.Policy;
import dev.haq.proto.quantizer.v1.Model;
import dev.haq.wire.BestPolicy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/** What a session found for each of several targets, and for all of them. */
final class FleetReport {
  private final Session session;
  private final String images;
  private final Function<Policy, Accuracy> heldOut;
  private final Pricing pricing;

  /** A policy layer by layer on a target. */
  interface Pricing {
    SimulateResponse cost(TargetRef target, Policy policy);
  }

  /** Where models are got from. */
  interface ModelFiles {
    void write(String model, Path file);
  }

  /**
   * @param images what accuracies are of, for people
   * @param heldOut accuracy of a policy on them
   */
  FleetReport(Session session, String images, Function<Policy, Accuracy> heldOut, Pricing pricing) {
    this.session = session;
    this.images = images;
    this.heldOut = heldOut;
    this.pricing = pricing;
  }

  /** Every found policy on every target. */
  String text() {
    List<String> headings = new ArrayList<>(List.of("<best for", "episode", "reward", "top-1"));
    if (isTuned()) {
      headings.add("fine-tuned");
    }
    session.getTargetsList().forEach(target -> headings.add("ratio on " + target.getTarget()));
    List<List<String>> rows = BestPolicy.all(session).stream().map(this::row).toList();
    return Tables.of(headings, rows)
        + "\ntop-1 on "
        + images
        + "; (over) is beyond the target's budget, - cannot run there"
        + "\n"
        + regret(session.getFleet());
  }

  private boolean isTuned() {
    return BestPolicy.all(session).stream().anyMatch(best -> best.tuned().isPresent());
  }

  private String regret(FleetResult fleet) {
    if (!fleet.getInfeasible().isEmpty()) {
      return "no policy for all targets: " + fleet.getInfeasible();
    }
    return fleet.getRegretsList().stream()
        .max(Double::compare)
        .map(
            largest ->
                "the fleet's policy lacks at most %s of the best reward of any target"
                    .formatted(Figures.fixed(largest, 4)))
        .orElse("no episode yet met the budgets of all targets");
  }

  private List<String> row(BestPolicy found) {
    Episode best = found.episode();
    List<String> row =
        new ArrayList<>(
            List.of(
                found.target(),
                Integer.toString(best.getNumber()),
                Figures.fixed(best.getReward(), 4),
                Figures.fixed(heldOut.apply(best.getPolicy()).getTop1(), 2) + " %"));
    if (isTuned()) {
      row.add(
          found
              .tuned()
              .map(tuned -> Figures.fixed(SearchReport.heldOut(tuned).getTop1(), 2) + " %")
              .orElse("-"));
    }
    for (EpisodeCost cost : best.getTargetCostsList()) {
      String ratio = Figures.fixed(cost.getCostRatio(), 4) + (cost.getEligible() ? "" : " (over)");
      row.add(cost.hasCost() ? ratio : "-");
    }
    return row;
  }

  /** Adds {@code targets} and {@code fleet} to the document of {@code --json}. */
  void addTo(ObjectNode document) {
    Map<String, BestPolicy> found =
        BestPolicy.all(session).stream()
            .collect(Collectors.toMap(BestPolicy::target, Function.identity()));
    ArrayNode targets = document.putArray("targets");
    for (TargetResult target : session.getTargetsList()) {
      ObjectNode node = targets.addObject().put("target", target.getTarget());
      node.set("budgets", Json.array(target.getBudgetsList()));
      if (target.hasBest()) {
        describe(node, found.get(target.getTarget()));
        node.set("cost", KnownCost.tree(target.getBest().getCost()));
        node.put("cost_ratio", target.getBest().getCostRatio());
      }
    }
    FleetResult fleet = session.getFleet();
    ObjectNode node = document.putObject("fleet");
    if (!fleet.getInfeasible().isEmpty()) {
      node.put("infeasible", fleet.getInfeasible());
    }
    if (fleet.hasBest()) {
      describe(node, found.get(BestPolicy.FLEET));
      node.set("costs", Json.array(fleet.getBest().getTargetCostsList()));
      ArrayNode regrets = node.putArray("regrets");
      fleet.getRegretsList().forEach(regrets::add);
    }
  }

  private void describe(ObjectNode node, BestPolicy found) {
    Episode best = found.episode();
    found.tuned().ifPresent(tuned -> node.set("tuned", Json.tree(tuned)));
    node.put("episode", best.getNumber()).put("reward", best.getReward());
    node.set("policy", PolicyFile.tree(best.getPolicy()));
    node.set("accuracy", Json.tree(heldOut.apply(best.getPolicy())));
    node.set("search_accuracy", Json.tree(best.getAccuracy()));
  }

  /** Adds a policy a target, and the fleet's, and the networks that were fine-tuned for them. */
  void addTo(ResultFiles files, Model model, ModelFiles models) {
    for (BestPolicy found : BestPolicy.all(session)) {
      String name = fileName(found.target());
      Policy policy = found.episode().getPolicy();
      files.add("policy-" + name + ".json", PolicyFile.text(policy));
      if (!found.target().equals(BestPolicy.FLEET)) {
        files.add("policy-" + name + ".csv", ResultFiles.policyCsv(policy, model, cost(found)));
      }
      found
          .tuned()
          .ifPresent(
              tuned ->
                  files.add(
                      "tuned-" + name + ".onnx", file -> models.write(tuned.getModel(), file)));
    }
  }

  /** Of a target's own policy, on it. */
  private SimulateResponse cost(BestPolicy found) {
    int target =
        session.getTargetsList().stream()
            .map(TargetResult::getTarget)
            .toList()
            .indexOf(found.target());
    return pricing.cost(ref(target), found.episode().getPolicy());
  }

  private TargetRef ref(int target) {
    return target == 0
        ? session.getSpec().getTarget()
        : session.getSpec().getFurtherTargets(target - 1).getTarget();
  }

  /** Without what a file's name may not hold. */
  private static String fileName(String target) {
    return target.replaceAll("[^A-Za-z0-9._-]+", "_");
  }
}
