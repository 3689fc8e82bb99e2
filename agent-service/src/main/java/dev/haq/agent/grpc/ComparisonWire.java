package dev.haq.agent.grpc;

import dev.haq.agent.comparison.SessionComparisons;
import dev.haq.agent.comparison.SessionFronts;
import dev.haq.model.Resource;
import dev.haq.proto.agent.v1.Front;
import dev.haq.proto.agent.v1.ResourceFront;
import dev.haq.proto.agent.v1.TargetFront;
import dev.haq.proto.agent.v1.Transfer;
import dev.haq.proto.agent.v1.TransferCell;
import dev.haq.proto.agent.v1.TransferRow;
import dev.haq.wire.CostWire;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** Fronts and transfer matrices as messages. They only go out. */
final class ComparisonWire {
  private ComparisonWire() {}

  static Front toProto(SessionComparisons.Front front) {
    SessionWire wire = new SessionWire(front.session());
    Front.Builder message = Front.newBuilder().setEpisodes(front.snapshot().episodes());
    var byTarget = front.snapshot().byTarget();
    for (int target = 0; target < byTarget.size(); target++) {
      List<ResourceFront> resources = resources(byTarget.get(target), target, wire);
      if (target == 0) {
        message.addAllResources(resources);
      } else {
        message.addFurtherTargets(
            TargetFront.newBuilder()
                .setTarget(front.session().definition().fleet().name(target))
                .addAllResources(resources));
      }
    }
    return message.build();
  }

  private static List<ResourceFront> resources(
      Map<Resource, SessionFronts.Points> fronts, int target, SessionWire wire) {
    List<ResourceFront> resources = new ArrayList<>();
    fronts.forEach(
        (resource, points) -> {
          ResourceFront.Builder front =
              ResourceFront.newBuilder().setResource(CostWire.toProto(resource));
          points.byReward().forEach(best -> front.addPoints(wire.episodeOn(target, best)));
          points.byTop1().forEach(best -> front.addTop1Points(wire.episodeOn(target, best)));
          resources.add(front.build());
        });
    return resources;
  }

  /**
   * @param wires a session's messages, by its id
   */
  static Transfer toProto(
      dev.haq.agent.comparison.Transfer transfer, Function<String, SessionWire> wires) {
    Transfer.Builder message = Transfer.newBuilder();
    transfer.minMaxRegret().ifPresent(message::setMinMaxRegret);
    transfer.minMaxRegretWithinBudgets().ifPresent(message::setMinMaxRegretWithinBudgets);
    for (dev.haq.agent.comparison.Transfer.Row row : transfer.rows()) {
      var best = wires.apply(row.sessionId()).episode(row.best());
      TransferRow.Builder line =
          TransferRow.newBuilder()
              .setSessionId(row.sessionId())
              .setTarget(row.target())
              .setPolicy(best.getPolicy())
              .setAccuracy(best.getAccuracy())
              .setMaxRegret(row.maxRegret());
      row.cells().forEach(cell -> line.addCells(toProto(cell)));
      message.addRows(line);
    }
    return message.build();
  }

  private static TransferCell toProto(Optional<dev.haq.agent.comparison.Transfer.Cell> cell) {
    return cell.map(
            there ->
                TransferCell.newBuilder()
                    .setCost(there.cost())
                    .setCostRatio(there.ratio())
                    .setRegret(there.regret())
                    .setWithinBudget(there.withinBudget()))
        .orElseGet(() -> TransferCell.newBuilder().setCannotRun(true))
        .build();
  }
}
