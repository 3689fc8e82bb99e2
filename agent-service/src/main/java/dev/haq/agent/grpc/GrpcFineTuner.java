package dev.haq.agent.grpc;

import dev.haq.agent.search.Episode;
import dev.haq.agent.search.Tuned;
import dev.haq.agent.search.TuningProgress;
import dev.haq.agent.session.SessionSpec;
import dev.haq.model.Accuracy;
import dev.haq.model.DataSelection;
import dev.haq.model.HaqException;
import dev.haq.model.LayerBits;
import dev.haq.model.Network;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import dev.haq.model.Recipe;
import dev.haq.proto.quantizer.v1.EvaluateRequest;
import dev.haq.proto.quantizer.v1.FineTuneProgress;
import dev.haq.proto.quantizer.v1.FineTuneRequest;
import dev.haq.proto.quantizer.v1.FineTuneResponse;
import dev.haq.proto.quantizer.v1.FineTuneResult;
import dev.haq.proto.quantizer.v1.QuantizerGrpc.QuantizerBlockingStub;
import dev.haq.wire.BitsWire;
import dev.haq.wire.DataWire;
import dev.haq.wire.RecipeWire;
import java.util.Iterator;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/** Trains a session's best policy by the quantizer, which goes on where an equal call broke off. */
record GrpcFineTuner(
    QuantizerBlockingStub quantizer,
    PatientCalls calls,
    ShardedEvaluations evaluations,
    SessionSpec spec,
    Network network) {

  /** Refuses a model that a recipe cannot train, whatever the policy. */
  void check(Recipe recipe) {
    Policy any = Policy.uniform(network.size(), LayerBits.of(8, 8));
    FineTuneRequest request = request(any, recipe).setCheckOnly(true).build();
    calls.call(GrpcBackends.QUANTIZER, () -> answer(request, progress -> {}));
  }

  Tuned tune(Episode best, Consumer<TuningProgress> listener) {
    Recipe recipe = spec.finalRecipe().orElseThrow();
    Policy policy = best.result().policy();
    FineTuneResult result = train(request(policy, recipe).build(), listener);
    Optional<Tuned.HeldOut> heldOut =
        spec.data().heldOutFraction() > 0
            ? Optional.of(
                new Tuned.HeldOut(
                    heldOut(spec.model(), policy, spec.recipe()),
                    heldOut(result.getModel().getId(), policy, recipe.untrained())))
            : Optional.empty();
    return new Tuned(
        best.number(),
        result.getModel().getId(),
        recipe.training().epochs(),
        best.result().accuracy(),
        DataWire.fromProto(result.getAfter()),
        heldOut,
        result.getSeconds());
  }

  private FineTuneRequest.Builder request(Policy policy, Recipe recipe) {
    return FineTuneRequest.newBuilder()
        .setModel(spec.model())
        .setPolicy(BitsWire.toProto(policy, network))
        .setRecipe(RecipeWire.toProto(recipe))
        .setData(DataWire.toProto(spec.data()));
  }

  private FineTuneResult train(FineTuneRequest request, Consumer<TuningProgress> listener) {
    AtomicInteger epoch = new AtomicInteger();
    return calls
        .call(
            GrpcBackends.QUANTIZER,
            epoch::get,
            () ->
                answer(
                    request,
                    progress -> {
                      epoch.accumulateAndGet(progress.getEpoch(), Math::max);
                      listener.accept(fromProto(progress));
                    }))
        .orElseThrow(
            () ->
                new HaqException(
                    Reason.INTERNAL, "the quantizer ended fine-tuning without a result"));
  }

  private Optional<FineTuneResult> answer(
      FineTuneRequest request, Consumer<FineTuneProgress> listener) {
    Optional<FineTuneResult> result = Optional.empty();
    Iterator<FineTuneResponse> answers = quantizer.fineTune(request);
    while (answers.hasNext()) {
      FineTuneResponse answer = answers.next();
      if (answer.hasProgress()) {
        listener.accept(answer.getProgress());
      } else if (answer.hasResult()) {
        result = Optional.of(answer.getResult());
      }
    }
    return result;
  }

  private Accuracy heldOut(String model, Policy policy, Recipe recipe) {
    DataSelection unseen = spec.data().withSplit(DataSelection.Split.HELD_OUT).withMaxImages(0);
    return evaluations.evaluate(
        EvaluateRequest.newBuilder()
            .setModel(model)
            .setPolicy(BitsWire.toProto(policy, network).toBuilder().setModel(model))
            .setData(DataWire.toProto(unseen))
            .setRecipe(RecipeWire.toProto(recipe))
            .build());
  }

  private static TuningProgress fromProto(FineTuneProgress progress) {
    return new TuningProgress(
        progress.getEpoch(),
        progress.getEpochs(),
        progress.getStep(),
        progress.getSteps(),
        progress.getLoss(),
        progress.getImagesPerSecond(),
        progress.getSecondsLeft());
  }
}
