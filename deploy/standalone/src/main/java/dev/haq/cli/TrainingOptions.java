package dev.haq.cli;

import dev.haq.model.HaqException;
import dev.haq.proto.model.v1.FineTuning;
import dev.haq.wire.RecipeWire;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import picocli.CommandLine.Option;

/** How a quantized network is trained; which images, for how long, is the command's to say. */
final class TrainingOptions {
  private static final FineTuning DEFAULTS = RecipeWire.toProto(dev.haq.model.FineTuning.DEFAULT);
  private static final String RATE = "--finetune-rate";
  private static final String MOMENTUM = "--momentum";
  private static final String WEIGHT_DECAY = "--weight-decay";
  private static final String BATCH_SIZE = "--batch-size";

  @Option(
      names = {RATE, "--lr"},
      paramLabel = "R",
      description = "Learning rate of fine-tuning, above 0; 0.0001 by default.")
  private Double learningRate;

  @Option(
      names = MOMENTUM,
      paramLabel = "M",
      description = "Momentum of fine-tuning, 0 or more and below 1; 0.9 by default.")
  private Double momentum;

  @Option(
      names = WEIGHT_DECAY,
      paramLabel = "D",
      description = "Weight decay of fine-tuning, 0 or more; 0 by default.")
  private Double weightDecay;

  @Option(
      names = BATCH_SIZE,
      paramLabel = "N",
      description = "Images a step of fine-tuning, 1 to 4096; 64 by default.")
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

  /** Everything but the images, the epochs and their order; refuses what is out of range. */
  FineTuning.Builder settings() {
    FineTuning.Builder settings =
        DEFAULTS.toBuilder().clearEpochs().setSchedule(schedule()).setLearnClips(learnClips);
    set(RATE, learningRate, settings, FineTuning.Builder::setLearningRate);
    set(MOMENTUM, momentum, settings, FineTuning.Builder::setMomentum);
    set(WEIGHT_DECAY, weightDecay, settings, FineTuning.Builder::setWeightDecay);
    set(BATCH_SIZE, batchSize, settings, FineTuning.Builder::setBatchSize);
    return settings;
  }

  /**
   * @param option that the user gave it with, for errors
   */
  static void checkEpochs(String option, int epochs) {
    set(option, epochs, DEFAULTS.toBuilder(), FineTuning.Builder::setEpochs);
  }

  /** Changes one setting of which all others are in range. */
  private static <T> void set(
      String option, T value, FineTuning.Builder settings, BiConsumer<FineTuning.Builder, T> with) {
    if (value == null) {
      return;
    }
    with.accept(settings, value);
    try {
      var unused = RecipeWire.fromProto(settings.build());
    } catch (HaqException e) {
      throw HaqException.invalid("%s %s: %s", option, value, e.getMessage());
    }
  }

  /** The first of these options that was given, as it is called. */
  Optional<String> firstGiven() {
    Map<String, Boolean> given = new LinkedHashMap<>();
    given.put(RATE + " (--lr)", learningRate != null);
    given.put(MOMENTUM, momentum != null);
    given.put(WEIGHT_DECAY, weightDecay != null);
    given.put(BATCH_SIZE, batchSize != null);
    given.put("--schedule", schedule != null);
    given.put("--learn-clips", learnClips);
    return given.keySet().stream().filter(given::get).findFirst();
  }

  private FineTuning.Schedule schedule() {
    return switch (schedule == null ? "constant" : schedule.toLowerCase(Locale.ROOT)) {
      case "constant" -> FineTuning.Schedule.CONSTANT;
      case "cosine" -> FineTuning.Schedule.COSINE;
      default -> throw HaqException.invalid("--schedule %s: use constant or cosine", schedule);
    };
  }
}
