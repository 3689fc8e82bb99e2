package dev.haq.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.haq.model.HaqException;
import dev.haq.model.Recipe;
import dev.haq.model.Recipe.WeightScales;
import dev.haq.proto.model.v1.DataSelection;
import dev.haq.proto.model.v1.FineTuning;
import dev.haq.proto.model.v1.Policy;
import dev.haq.proto.quantizer.v1.FineTuneRequest;
import dev.haq.proto.quantizer.v1.FineTuneResult;
import dev.haq.proto.quantizer.v1.Model;
import dev.haq.wire.RecipeWire;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Training of a quantized model. */
@Command(
    name = "finetune",
    description =
        "Trains a model for a policy (straight-through estimator) and stores the tuned weights as a"
            + " new model. Every epoch is kept: interrupted, it goes on where it was.",
    mixinStandardHelpOptions = true)
final class FineTuneCommand implements Callable<Integer> {
  @Mixin private CommonOptions common;
  @Mixin private ModelOption model;
  @Mixin private DataOptions data;
  @Mixin private PolicyOptions policy;

  @Option(
      names = "--train-data",
      required = true,
      paramLabel = "DATA",
      description =
          "Images to train on, given as --data is and prepared alike unless preprocess.yaml lies"
              + " beside them. --data judges, so it should hold other images.")
  private String trainData;

  @Option(
      names = "--recipe",
      paramLabel = "NAME",
      defaultValue = "haq-finetune",
      description = "haq-finetune (the default), or kmeans to train shared weights.")
  private String recipe;

  @Option(
      names = "--per-tensor",
      description = "One weight scale a layer; one an output channel by default.")
  private boolean perTensor;

  @Option(
      names = "--epochs",
      paramLabel = "N",
      defaultValue = "1",
      description = "Passes over the training images, 1 to 10,000; ${DEFAULT-VALUE} by default.")
  private int epochs;

  @Mixin private TrainingOptions training;

  @Option(
      names = "--seed",
      paramLabel = "S",
      defaultValue = "1",
      description = "Order of the images; ${DEFAULT-VALUE} by default.")
  private long seed;

  @Option(
      names = "--name",
      paramLabel = "NAME",
      defaultValue = "",
      description = "The new model's name.")
  private String name;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description = "Where the tuned model's .onnx file goes; it is kept by the service anyway.")
  private Path out;

  @Override
  public Integer call() {
    Terminal terminal = common.terminal();
    FineTuning.Builder settings = training.settings();
    TrainingOptions.checkEpochs("--epochs", epochs);
    data.check();
    if (out != null && !out.toString().toLowerCase(Locale.ROOT).endsWith(".onnx")) {
      throw HaqException.invalid("--out %s: the name must end with .onnx", out);
    }
    if (out != null) {
      OutFile.check(out);
    }
    try (Connection connection = Connection.open(common)) {
      GatewayClient client = connection.client();
      Model known = model.resolve(client, common.terminal());
      Policy bits = policy.required(known);
      FineTuneRequest request =
          FineTuneRequest.newBuilder()
              .setModel(known.getId())
              .setPolicy(bits)
              .setData(
                  Waiting.on(
                      terminal,
                      DataOptions.SENDING,
                      () -> data.resolve(client, common.terminal(), DataSelection.Split.ALL)))
              .setRecipe(
                  RecipeWire.toProto(
                          Recipe.named(recipe)
                              .withWeightScales(
                                  perTensor ? WeightScales.PER_TENSOR : WeightScales.PER_CHANNEL))
                      .toBuilder()
                      .setFineTuning(
                          settings
                              .setData(
                                  data.resolveOther(
                                      client, common.terminal(), "--train-data", trainData))
                              .setEpochs(epochs)
                              .setSeed(seed)))
              .setName(name)
              .build();
      FineTuneResult result = tune(client, request, terminal);
      if (out != null) {
        client.downloadModel(result.getModel().getId(), out);
      }
      report(terminal, request, result);
      return Haq.DONE;
    }
  }

  private static FineTuneResult tune(
      GatewayClient client, FineTuneRequest request, Terminal terminal) {
    TuningLines lines = new TuningLines(terminal);
    try {
      return client.fineTune(request, lines::step);
    } finally {
      lines.end();
    }
  }

  private void report(Terminal terminal, FineTuneRequest request, FineTuneResult result) {
    if (terminal.json()) {
      ObjectNode document = Json.object().put("model", request.getModel());
      document.set("policy", PolicyFile.tree(request.getPolicy()));
      document.set("recipe", Json.tree(request.getRecipe()));
      document.set("data", Json.tree(request.getData()));
      document.put("tuned_model", result.getModel().getId());
      document.set("before", Json.tree(result.getBefore()));
      document.set("after", Json.tree(result.getAfter()));
      document.put("seconds", result.getSeconds());
      document.put("images_per_second", result.getImagesPerSecond());
      terminal.document(document);
      return;
    }
    terminal.line(
        Tables.of(
            List.of("<", "top-1", "top-5", "cross-entropy", "images"),
            List.of(
                EvaluateCommand.row("before", result.getBefore()),
                EvaluateCommand.row("after", result.getAfter()))));
    terminal.line(
        "%s s of training, %s images/s; the tuned model is %s",
        Figures.fixed(result.getSeconds(), 1),
        Figures.fixed(result.getImagesPerSecond(), 0),
        result.getModel().getId());
  }
}
