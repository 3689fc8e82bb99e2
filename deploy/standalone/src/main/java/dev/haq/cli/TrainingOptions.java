package dev.haq.cli;

import dev.haq.model.HaqException;
import dev.haq.proto.model.v1.FineTuning;
import java.util.Locale;
import picocli.CommandLine.Option;

/** How a quantized network is trained; which images, for how long, is the command's to say. */
final class TrainingOptions {
  @Option(
      names = {"--finetune-rate", "--lr"},
      paramLabel = "R",
      defaultValue = "0.0001",
      description = "Learning rate of fine-tuning; ${DEFAULT-VALUE} by default.")
  private double learningRate;

  @Option(
      names = "--momentum",
      paramLabel = "M",
      defaultValue = "0.9",
      description = "Momentum of fine-tuning; ${DEFAULT-VALUE} by default.")
  private double momentum;

  @Option(
      names = "--weight-decay",
      paramLabel = "D",
      defaultValue = "0",
      description = "Weight decay of fine-tuning; ${DEFAULT-VALUE} by default.")
  private double weightDecay;

  @Option(
      names = "--batch-size",
      paramLabel = "N",
      defaultValue = "64",
      description = "Images a step of fine-tuning; ${DEFAULT-VALUE} by default.")
  private int batchSize;

  @Option(
      names = "--schedule",
      paramLabel = "NAME",
      defaultValue = "constant",
      description = "Of the learning rate: constant (the default) or cosine, down to 0.")
  private String schedule;

  @Option(
      names = "--learn-clips",
      description = "Fine-tuning learns the clip thresholds of activations too (PACT).")
  private boolean learnClips;

  /** Everything but the images, the epochs and their order. */
  FineTuning.Builder settings() {
    return FineTuning.newBuilder()
        .setLearningRate(learningRate)
        .setMomentum(momentum)
        .setWeightDecay(weightDecay)
        .setBatchSize(batchSize)
        .setSchedule(schedule())
        .setLearnClips(learnClips);
  }

  private FineTuning.Schedule schedule() {
    return switch (schedule.toLowerCase(Locale.ROOT)) {
      case "constant" -> FineTuning.Schedule.CONSTANT;
      case "cosine" -> FineTuning.Schedule.COSINE;
      default -> throw HaqException.invalid("--schedule %s: use constant or cosine", schedule);
    };
  }
}
