package dev.haq.cli;

import dev.haq.model.HaqException;
import dev.haq.proto.model.v1.FineTuning;
import dev.haq.wire.RecipeWire;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Option;

/** How a quantized network is trained; which images, for how long, is the command's to say. */
final class TrainingOptions {
  private static final FineTuning DEFAULTS = RecipeWire.toProto(dev.haq.model.FineTuning.DEFAULT);

  @Option(
      names = {"--finetune-rate", "--lr"},
      paramLabel = "R",
      description = "Learning rate of fine-tuning; 0.0001 by default.")
  private Double learningRate;

  @Option(
      names = "--momentum",
      paramLabel = "M",
      description = "Momentum of fine-tuning; 0.9 by default.")
  private Double momentum;

  @Option(
      names = "--weight-decay",
      paramLabel = "D",
      description = "Weight decay of fine-tuning; 0 by default.")
  private Double weightDecay;

  @Option(
      names = "--batch-size",
      paramLabel = "N",
      description = "Images a step of fine-tuning; 64 by default.")
  private Integer batchSize;

  @Option(
      names = "--schedule",
      paramLabel = "NAME",
      description = "Of the learning rate: constant (the default) or cosine, down to 0.")
  private String schedule;

  @Option(
      names = "--learn-clips",
      description = "Fine-tuning learns the clip thresholds of activations too (PACT).")
  private boolean learnClips;

  /** Everything but the images, the epochs and their order. */
  FineTuning.Builder settings() {
    return FineTuning.newBuilder()
        .setLearningRate(given(learningRate, DEFAULTS.getLearningRate()))
        .setMomentum(given(momentum, DEFAULTS.getMomentum()))
        .setWeightDecay(given(weightDecay, DEFAULTS.getWeightDecay()))
        .setBatchSize(given(batchSize, DEFAULTS.getBatchSize()))
        .setSchedule(schedule())
        .setLearnClips(learnClips);
  }

  /** The first of these options that was given, as it is called. */
  Optional<String> firstGiven() {
    Map<String, Boolean> given = new LinkedHashMap<>();
    given.put("--finetune-rate (--lr)", learningRate != null);
    given.put("--momentum", momentum != null);
    given.put("--weight-decay", weightDecay != null);
    given.put("--batch-size", batchSize != null);
    given.put("--schedule", schedule != null);
    given.put("--learn-clips", learnClips);
    return given.keySet().stream().filter(given::get).findFirst();
  }

  private static <T> T given(T value, T otherwise) {
    return value == null ? otherwise : value;
  }

  private FineTuning.Schedule schedule() {
    return switch (given(schedule, "constant").toLowerCase(Locale.ROOT)) {
      case "constant" -> FineTuning.Schedule.CONSTANT;
      case "cosine" -> FineTuning.Schedule.COSINE;
      default -> throw HaqException.invalid("--schedule %s: use constant or cosine", schedule);
    };
  }
}
