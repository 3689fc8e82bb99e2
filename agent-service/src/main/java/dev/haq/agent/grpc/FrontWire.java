package dev.haq.agent.grpc;

import dev.haq.agent.agents.Agents;
import dev.haq.agent.comparison.FrontPredictions;
import dev.haq.agent.comparison.FrontSpec;
import dev.haq.agent.losses.PredictedFront;
import dev.haq.agent.session.Preparation;
import dev.haq.model.HaqException;
import dev.haq.model.Network;
import dev.haq.proto.agent.v1.PredictFrontEvent;
import dev.haq.proto.agent.v1.PredictFrontRequest;
import dev.haq.proto.agent.v1.PredictedPoint;
import dev.haq.proto.agent.v1.SessionSpec;
import dev.haq.proto.model.v1.Budget;
import dev.haq.wire.BitsWire;
import dev.haq.wire.CostWire;
import java.util.function.Supplier;

/** Predicted fronts and what is asked of them, as messages. */
final class FrontWire {
  /** How errors name the fields of a session's specification, which here are the request's own. */
  private static final String SPEC = "spec.";

  private FrontWire() {}

  /** Fills in every default; a message names the field that is wrong. */
  static FrontSpec fromProto(PredictFrontRequest message) {
    SpecWire.field("resource", () -> CostWire.fromProto(message.getResource()));
    SessionSpec.Builder spec =
        SessionSpec.newBuilder()
            .setModel(message.getModel())
            .setData(message.getData())
            .setTarget(message.getTarget())
            .setBudget(Budget.newBuilder().setResource(message.getResource()).setRatio(1))
            .setAgent(Agents.DP)
            .setRecipe(message.getRecipe())
            .setSearchFirstAndLast(message.getSearchFirstAndLast())
            .addAllLayerWidths(message.getLayerWidthsList());
    if (message.hasWeightBits()) {
      spec.setWeightBits(message.getWeightBits());
    }
    if (message.hasActivationBits()) {
      spec.setActivationBits(message.getActivationBits());
    }
    int points = message.getMaxPoints() == 0 ? FrontSpec.DEFAULT_POINTS : message.getMaxPoints();
    return new FrontSpec(SpecWire.fromProto(spec.build()), points);
  }

  /** Has errors that name a field name the request's. */
  static <T> T naming(Supplier<T> call) {
    try {
      return call.get();
    } catch (HaqException e) {
      String message = e.getMessage();
      throw message.startsWith(SPEC)
          ? new HaqException(e.reason(), message.substring(SPEC.length()), e.details(), e)
          : e;
    }
  }

  static PredictFrontEvent toProto(Preparation preparation) {
    return PredictFrontEvent.newBuilder().setPreparation(SessionWire.toProto(preparation)).build();
  }

  static PredictFrontEvent toProto(FrontPredictions.Prediction prediction) {
    PredictFrontEvent.Builder event = PredictFrontEvent.newBuilder();
    dev.haq.proto.agent.v1.PredictedFront.Builder message = event.getFrontBuilder();
    message
        .setReferenceCost(prediction.budget().reference())
        .setSlack(prediction.front().slack())
        .setExtrapolated(prediction.isExtrapolated());
    Network network = prediction.network();
    for (PredictedFront.Point point : prediction.front().points()) {
      message.addPoints(
          PredictedPoint.newBuilder()
              .setPolicy(BitsWire.toProto(point.policy(), network))
              .setCost(point.cost())
              .setCostRatio(prediction.budget().ratio(point.cost()))
              .setDivergence(point.divergence()));
    }
    return event.build();
  }
}
