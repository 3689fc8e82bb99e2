package dev.haq.wire;

import dev.haq.model.FineTuning;
import dev.haq.model.HaqException;
import dev.haq.model.Recipe;
import java.util.Optional;

/** Recipes and their fine-tuning. */
public final class RecipeWire {
  private RecipeWire() {}

  public static dev.haq.proto.model.v1.Recipe toProto(Recipe recipe) {
    dev.haq.proto.model.v1.Recipe.Builder message =
        dev.haq.proto.model.v1.Recipe.newBuilder()
            .setName(recipe.id())
            .setWeightScales(
                switch (recipe.weightScales()) {
                  case PER_CHANNEL -> dev.haq.proto.model.v1.Recipe.WeightScales.PER_CHANNEL;
                  case PER_TENSOR -> dev.haq.proto.model.v1.Recipe.WeightScales.PER_TENSOR;
                })
            .setCodebookStart(
                switch (recipe.codebookStart()) {
                  case PLUS_PLUS -> dev.haq.proto.model.v1.Recipe.CodebookStart.PLUS_PLUS;
                  case LINEAR -> dev.haq.proto.model.v1.Recipe.CodebookStart.LINEAR;
                });
    recipe.weightClip().ifPresent(clip -> message.setWeightClip(toProto(clip)));
    recipe.activationClip().ifPresent(clip -> message.setActivationClip(toProto(clip)));
    recipe.fineTuning().ifPresent(tuning -> message.setFineTuning(toProto(tuning)));
    return message.build();
  }

  /** An empty name is {@link Recipe#HAQ}'s; without a version the newest is meant. */
  public static Recipe fromProto(dev.haq.proto.model.v1.Recipe message) {
    Recipe named = message.getName().isEmpty() ? Recipe.HAQ : Recipe.named(message.getName());
    Recipe.WeightScales scales =
        switch (message.getWeightScales()) {
          case PER_CHANNEL -> Recipe.WeightScales.PER_CHANNEL;
          case PER_TENSOR -> Recipe.WeightScales.PER_TENSOR;
          case UNRECOGNIZED ->
              throw HaqException.invalid("recipe.weight_scales must be PER_CHANNEL or PER_TENSOR");
        };
    Recipe recipe =
        named
            .withWeightScales(scales)
            .withClips(
                clip("weight_clip", message.getWeightClip()),
                clip("activation_clip", message.getActivationClip()))
            .withCodebookStart(
                switch (message.getCodebookStart()) {
                  case PLUS_PLUS -> Recipe.CodebookStart.PLUS_PLUS;
                  case LINEAR -> Recipe.CodebookStart.LINEAR;
                  case UNRECOGNIZED ->
                      throw HaqException.invalid(
                          "recipe.codebook_start must be PLUS_PLUS or LINEAR");
                });
    return message.hasFineTuning()
        ? recipe.withFineTuning(fromProto(message.getFineTuning()))
        : recipe;
  }

  private static dev.haq.proto.model.v1.Recipe.Clip toProto(Recipe.Clip clip) {
    return switch (clip) {
      case KL_DIVERGENCE -> dev.haq.proto.model.v1.Recipe.Clip.KL_DIVERGENCE;
      case SQUARED_ERROR -> dev.haq.proto.model.v1.Recipe.Clip.SQUARED_ERROR;
      case PERCENTILE -> dev.haq.proto.model.v1.Recipe.Clip.PERCENTILE;
      case MIN_MAX -> dev.haq.proto.model.v1.Recipe.Clip.MIN_MAX;
    };
  }

  private static Optional<Recipe.Clip> clip(
      String field, dev.haq.proto.model.v1.Recipe.Clip message) {
    return switch (message) {
      case CLIP_UNSPECIFIED -> Optional.empty();
      case KL_DIVERGENCE -> Optional.of(Recipe.Clip.KL_DIVERGENCE);
      case SQUARED_ERROR -> Optional.of(Recipe.Clip.SQUARED_ERROR);
      case PERCENTILE -> Optional.of(Recipe.Clip.PERCENTILE);
      case MIN_MAX -> Optional.of(Recipe.Clip.MIN_MAX);
      case UNRECOGNIZED ->
          throw HaqException.invalid(
              "recipe.%s must be KL_DIVERGENCE, SQUARED_ERROR, PERCENTILE or MIN_MAX", field);
    };
  }

  public static dev.haq.proto.model.v1.FineTuning toProto(FineTuning tuning) {
    dev.haq.proto.model.v1.FineTuning.Builder message =
        dev.haq.proto.model.v1.FineTuning.newBuilder()
            .setEpochs(tuning.epochs())
            .setLearningRate(tuning.learningRate())
            .setMomentum(tuning.momentum())
            .setWeightDecay(tuning.weightDecay())
            .setBatchSize(tuning.batchSize())
            .setSchedule(
                switch (tuning.schedule()) {
                  case CONSTANT -> dev.haq.proto.model.v1.FineTuning.Schedule.CONSTANT;
                  case COSINE -> dev.haq.proto.model.v1.FineTuning.Schedule.COSINE;
                })
            .setLearnClips(tuning.learnClips())
            .setSeed(tuning.seed());
    tuning.data().ifPresent(data -> message.setData(DataWire.toProto(data)));
    return message.build();
  }

  /** An absent field is {@link FineTuning#DEFAULT}'s. */
  public static FineTuning fromProto(dev.haq.proto.model.v1.FineTuning message) {
    FineTuning paper = FineTuning.DEFAULT;
    return new FineTuning(
        message.hasData() ? Optional.of(DataWire.fromProto(message.getData())) : Optional.empty(),
        message.hasEpochs() ? message.getEpochs() : paper.epochs(),
        message.hasLearningRate() ? message.getLearningRate() : paper.learningRate(),
        message.hasMomentum() ? message.getMomentum() : paper.momentum(),
        message.hasWeightDecay() ? message.getWeightDecay() : paper.weightDecay(),
        message.hasBatchSize() ? message.getBatchSize() : paper.batchSize(),
        switch (message.getSchedule()) {
          case CONSTANT -> FineTuning.Schedule.CONSTANT;
          case COSINE -> FineTuning.Schedule.COSINE;
          case UNRECOGNIZED ->
              throw HaqException.invalid("fine_tuning.schedule must be CONSTANT or COSINE");
        },
        message.getLearnClips(),
        message.getSeed());
  }
}
