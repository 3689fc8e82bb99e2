package dev.haq.agent.grpc;

import dev.haq.agent.session.Episode;
import dev.haq.agent.session.SessionSpec;
import dev.haq.agent.session.Tuned;
import dev.haq.agent.session.TuningProgress;
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
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Trains a session's best policy by the quantizer, which goes on where an equal call broke off. */
record GrpcFineTuner(
    QuantizerBlockingStub quantizer,
    PatientCalls calls,
    ShardedEvaluations evaluations,
    SessionSpec spec,
    Network network) {
  private static final Logger LOG = LoggerFactory.getLogger(GrpcFineTuner.class);

  /** Why there may be no held-out image to judge by. */
  private static final Set<Reason> UNJUDGED =
      Set.of(Reason.INVALID_DATASET, Reason.IMAGE_SIZE_MISMATCH);

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
    return new Tuned(
        best.number(),
        result.getModel().getId(),
        recipe.training().epochs(),
        best.result().accuracy(),
        DataWire.fromProto(result.getAfter()),
        heldOut(policy, result.getModel().getId()),
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

  /**
   * Empty where no image is held out: by the fraction, or because it rounds to none of a small
   * dataset, which the quantizer says as INVALID_DATASET. What was trained is worth more than how
   * it does on images that there are not, or that do not fit.
   */
  private Optional<Tuned.HeldOut> heldOut(Policy policy, String tuned) {
    if (spec.data().heldOutFraction() == 0) {
      return Optional.empty();
    }
    try {
      Recipe untrained = spec.finalRecipe().orElseThrow().untrained();
      return Optional.of(
          new Tuned.HeldOut(
              heldOut(spec.model(), policy, spec.recipe()), heldOut(tuned, policy, untrained)));
    } catch (HaqException e) {
      if (!UNJUDGED.contains(e.reason())) {
        throw e;
      }
      LOG.warn("the model {} is not judged on held-out images: {}", tuned, e.getMessage());
      return Optional.empty();
    }
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
