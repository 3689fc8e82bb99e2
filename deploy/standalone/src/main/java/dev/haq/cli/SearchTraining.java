package dev.haq.cli;

import dev.haq.model.HaqException;
import dev.haq.proto.agent.v1.SessionSpec;
import dev.haq.proto.model.v1.FineTuning;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What a search trains: every policy that it tries, the best at its end, both, or nothing. */
final class SearchTraining {
  private static final String IN_THE_LOOP = "haq-finetune";
  private static final String EPOCHS = "--finetune-epochs";

  @Option(
      names = "--train-data",
      paramLabel = "DATA",
      description =
          "Images to train on, given as --data is and prepared alike unless preprocess.yaml lies"
              + " beside them: for --finetune-epochs, and for --recipe haq-finetune, which trains one"
              + " epoch for each policy (on the calibration images where this is not given). Where it is --data itself, held-out images are left out.")
  private String trainData;

  @Option(
      names = EPOCHS,
      paramLabel = "N",
      defaultValue = "0",
      description =
          "Trains the best policy's network so many epochs, up to 10,000, when the search is over;"
              + " none by default."
              + " The following options say how.")
  private int epochs;

  @Mixin private TrainingOptions training;

  /** Refuses options that contradict each other, before anything is started. */
  void check(SessionSpec.Builder spec) {
    if (epochs != 0) {
      TrainingOptions.checkEpochs(EPOCHS, epochs);
    }
    if (epochs > 0 && trainData == null) {
      throw HaqException.invalid("%s %d: say what to train on by --train-data", EPOCHS, epochs);
    }
    if (trainData != null && epochs == 0 && !inTheLoop(spec)) {
      throw HaqException.invalid(
          "--train-data %s: nothing is trained; add %s N, or --recipe %s",
          trainData, EPOCHS, IN_THE_LOOP);
    }
    var unused = training.settings(); // refuses what is out of range
    if (epochs == 0 && !inTheLoop(spec)) {
      training
          .firstGiven()
          .ifPresent(
              option -> {
                throw HaqException.invalid(
                    "%s: nothing is trained; add --train-data DATA with %s N, or with --recipe %s",
                    option, EPOCHS, IN_THE_LOOP);
              });
    }
  }

  private static boolean inTheLoop(SessionSpec.Builder spec) {
    return spec.getRecipe().getName().startsWith(IN_THE_LOOP);
  }

  /**
   * Adds the training to a specification that is complete otherwise.
   *
   * @param data the search's images
   */
  void fill(GatewayClient client, Terminal terminal, DataOptions data, SessionSpec.Builder spec) {
    FineTuning.Builder settings = training.settings();
    if (trainData != null) {
      settings.setData(data.resolveOther(client, terminal, "--train-data", trainData));
    }
    if (inTheLoop(spec)) {
      spec.getRecipeBuilder().setFineTuning(settings);
    }
    if (epochs > 0) {
      spec.setFinalFineTuning(settings.setEpochs(epochs).setSeed(spec.getSeed()));
    }
  }
}
