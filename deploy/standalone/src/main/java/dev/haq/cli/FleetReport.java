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
import dev.haq.proto.model.v1.Resource;
import dev.haq.proto.quantizer.v1.Model;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** What a session found for each of several targets, and for all of them. */
final class FleetReport {
  private final Session session;
  private final Function<Policy, Accuracy> heldOut;
  private final Pricing pricing;

  /** A policy layer by layer on a target. */
  interface Pricing {
    SimulateResponse cost(TargetRef target, Resource resource, Policy policy);
  }

  /**
   * @param heldOut accuracy of a policy on the held-out images
   */
  FleetReport(Session session, Function<Policy, Accuracy> heldOut, Pricing pricing) {
    this.session = session;
    this.heldOut = heldOut;
    this.pricing = pricing;
  }

  /** Every found policy on every target. */
  String text() {
    List<String> headings = new ArrayList<>(List.of("<best for", "episode", "reward", "top-1"));
    session.getTargetsList().forEach(target -> headings.add("ratio on " + target.getTarget()));
    List<List<String>> rows = new ArrayList<>();
    for (TargetResult target : session.getTargetsList()) {
      if (target.hasBest()) {
        rows.add(row(target.getTarget(), target.getBest()));
      }
    }
    FleetResult fleet = session.getFleet();
    if (fleet.hasBest()) {
      rows.add(row(EpisodeLines.FLEET, fleet.getBest()));
    }
    return Tables.of(headings, rows)
        + "\ntop-1 on held-out images; (over) is beyond the target's budget, - cannot run there"
        + "\n"
        + regret(fleet);
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

  private List<String> row(String name, Episode best) {
    List<String> row =
        new ArrayList<>(
            List.of(
                name,
                Integer.toString(best.getNumber()),
                Figures.fixed(best.getReward(), 4),
                Figures.fixed(heldOut.apply(best.getPolicy()).getTop1(), 2) + " %"));
    for (EpisodeCost cost : best.getTargetCostsList()) {
      String ratio = Figures.fixed(cost.getCostRatio(), 4) + (cost.getEligible() ? "" : " (over)");
      row.add(cost.hasCost() ? ratio : "-");
    }
    return row;
  }

  /** Adds {@code targets} and {@code fleet} to the document of {@code --json}. */
  void addTo(ObjectNode document) {
    ArrayNode targets = document.putArray("targets");
    for (TargetResult target : session.getTargetsList()) {
      ObjectNode node = targets.addObject().put("target", target.getTarget());
      node.set("budgets", Json.array(target.getBudgetsList()));
      if (target.hasBest()) {
        describe(node, target.getBest());
        node.set("cost", Json.tree(target.getBest().getCost()));
        node.put("cost_ratio", target.getBest().getCostRatio());
      }
    }
    FleetResult fleet = session.getFleet();
    ObjectNode node = document.putObject("fleet");
    if (!fleet.getInfeasible().isEmpty()) {
      node.put("infeasible", fleet.getInfeasible());
    }
    if (fleet.hasBest()) {
      describe(node, fleet.getBest());
      node.set("costs", Json.array(fleet.getBest().getTargetCostsList()));
      ArrayNode regrets = node.putArray("regrets");
      fleet.getRegretsList().forEach(regrets::add);
    }
  }

  private void describe(ObjectNode node, Episode best) {
    node.put("episode", best.getNumber()).put("reward", best.getReward());
    node.set("policy", PolicyFile.tree(best.getPolicy()));
    node.set("accuracy", Json.tree(heldOut.apply(best.getPolicy())));
    node.set("search_accuracy", Json.tree(best.getAccuracy()));
  }

  /** Writes a policy a target, and the fleet's; answers the files' names. */
  List<Path> write(Path folder, Model model) {
    List<Path> files = new ArrayList<>();
    for (int i = 0; i < session.getTargetsCount(); i++) {
      TargetResult target = session.getTargets(i);
      if (target.hasBest()) {
        Policy policy = target.getBest().getPolicy();
        SimulateResponse cost = pricing.cost(ref(i), target.getBudgets(0).getResource(), policy);
        String name = "policy-" + fileName(target.getTarget());
        files.add(folder.resolve(name + ".json"));
        ResultFiles.write(folder.resolve(name + ".json"), PolicyFile.text(policy));
        files.add(folder.resolve(name + ".csv"));
        ResultFiles.write(
            folder.resolve(name + ".csv"), ResultFiles.policyCsv(policy, model, cost));
      }
    }
    if (session.getFleet().hasBest()) {
      Path file = folder.resolve("policy-" + EpisodeLines.FLEET + ".json");
      ResultFiles.write(file, PolicyFile.text(session.getFleet().getBest().getPolicy()));
      files.add(file);
    }
    return files;
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
