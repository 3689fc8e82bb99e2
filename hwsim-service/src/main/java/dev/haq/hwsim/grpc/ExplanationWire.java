package dev.haq.hwsim.grpc;

import dev.haq.hwsim.cost.Explanation;
import dev.haq.hwsim.cost.Speed;
import dev.haq.proto.hwsim.v1.Counterfactual;
import dev.haq.proto.hwsim.v1.LayerExplanation;
import dev.haq.wire.CostWire;

/** Explanations to messages. */
final class ExplanationWire {
  private ExplanationWire() {}

  static LayerExplanation toProto(Explanation explanation) {
    LayerExplanation.Builder message =
        LayerExplanation.newBuilder()
            .setCost(CostWire.toProto(explanation.cost()))
            .setMacs(explanation.macs());
    explanation.operationalIntensity().ifPresent(message::setOperationalIntensity);
    explanation.speed().map(Speed::peakMacsPerSecond).ifPresent(message::setPeakMacsPerSecond);
    explanation
        .speed()
        .map(Speed::attainableMacsPerSecond)
        .ifPresent(message::setAttainableMacsPerSecond);
    explanation.reachedMacsPerSecond().ifPresent(message::setReachedMacsPerSecond);
    explanation.counterfactuals().forEach(other -> message.addCounterfactuals(toProto(other)));
    return message.build();
  }

  private static Counterfactual toProto(Explanation.Counterfactual other) {
    Counterfactual.Builder message =
        Counterfactual.newBuilder()
            .setWeightBits(other.bits().weights().bits())
            .setActivationBits(other.bits().activations().bits())
            .setLatencySecondsChange(other.latencySecondsChange())
            .setModelSizeBytesChange(other.modelSizeBytesChange())
            .setBoundBy(CostWire.toProto(other.boundBy()));
    other.energyJoulesChange().ifPresent(message::setEnergyJoulesChange);
    return message.build();
  }
}
