package dev.haq.agent.grpc;

import dev.haq.agent.search.AccuracyEvaluator;
import dev.haq.agent.search.Reward;
import dev.haq.agent.session.SessionSpec;
import dev.haq.model.Accuracy;
import dev.haq.model.DataSelection;
import dev.haq.model.Network;
import dev.haq.model.Policy;
import dev.haq.proto.quantizer.v1.EvaluateRequest;
import dev.haq.wire.BitsWire;
import dev.haq.wire.DataWire;
import dev.haq.wire.RecipeWire;
import java.util.Optional;

/** The quantizer behind the search's port. */
final class GrpcAccuracyEvaluator implements AccuracyEvaluator {
  private final ShardedEvaluations evaluations;
  private final EvaluateRequest template;
  private final Network network;
  private Optional<Accuracy> baseline;

  /**
   * @param data the session's images, or some of them
   * @param baseline the float model's accuracy where it is known already
   */
  GrpcAccuracyEvaluator(
      ShardedEvaluations evaluations,
      SessionSpec spec,
      DataSelection data,
      Network network,
      Optional<Accuracy> baseline) {
    this.evaluations = evaluations;
    this.template =
        EvaluateRequest.newBuilder()
            .setModel(spec.model())
            .setData(DataWire.toProto(data))
            .setRecipe(RecipeWire.toProto(spec.recipe()))
            .setMeasureDivergence(spec.reward() == Reward.KL_DIVERGENCE)
            .build();
    this.network = network;
    this.baseline = baseline;
  }

  @Override
  public Accuracy baseline() {
    if (baseline.isEmpty()) {
      baseline = Optional.of(evaluations.evaluate(template));
    }
    return baseline.get();
  }

  @Override
  public Accuracy evaluate(Policy policy) {
    return evaluations.evaluate(
        template.toBuilder().setPolicy(BitsWire.toProto(policy, network)).build());
  }
}
