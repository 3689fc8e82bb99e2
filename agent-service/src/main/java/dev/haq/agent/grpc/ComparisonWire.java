package dev.haq.agent.grpc;

import dev.haq.agent.session.SessionComparisons;
import dev.haq.proto.agent.v1.Front;
import dev.haq.proto.agent.v1.ResourceFront;
import dev.haq.proto.agent.v1.Transfer;
import dev.haq.proto.agent.v1.TransferCell;
import dev.haq.proto.agent.v1.TransferRow;
import dev.haq.wire.CostWire;
import java.util.function.Function;

/** Fronts and transfer matrices as messages. They only go out. */
final class ComparisonWire {
  private ComparisonWire() {}

  static Front toProto(SessionComparisons.Front front) {
    SessionWire wire = new SessionWire(front.session());
    Front.Builder message = Front.newBuilder().setEpisodes(front.snapshot().episodes());
    front
        .snapshot()
        .fronts()
        .forEach(
            (resource, episodes) -> {
              ResourceFront.Builder points =
                  ResourceFront.newBuilder().setResource(CostWire.toProto(resource));
              episodes.forEach(episode -> points.addPoints(wire.episode(episode)));
              message.addResources(points);
            });
    return message.build();
  }

  /**
   * @param wires a session's messages, by its id
   */
  static Transfer toProto(
      dev.haq.agent.session.Transfer transfer, Function<String, SessionWire> wires) {
    Transfer.Builder message = Transfer.newBuilder().setMinMaxRegret(transfer.minMaxRegret());
    for (dev.haq.agent.session.Transfer.Row row : transfer.rows()) {
      var best = wires.apply(row.sessionId()).episode(row.best());
      TransferRow.Builder line =
          TransferRow.newBuilder()
              .setSessionId(row.sessionId())
              .setPolicy(best.getPolicy())
              .setAccuracy(best.getAccuracy())
              .setMaxRegret(row.maxRegret());
      row.cells()
          .forEach(
              cell ->
                  line.addCells(
                      TransferCell.newBuilder()
                          .setCost(cell.cost())
                          .setCostRatio(cell.ratio())
                          .setRegret(cell.regret())
                          .setWithinBudget(cell.withinBudget())));
      message.addRows(line);
    }
    return message.build();
  }
}
