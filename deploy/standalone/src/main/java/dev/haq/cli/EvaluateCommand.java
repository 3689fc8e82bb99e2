package dev.haq.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.haq.model.HaqException;
import dev.haq.proto.model.v1.Accuracy;
import dev.haq.proto.model.v1.DataSelection;
import dev.haq.proto.model.v1.Policy;
import dev.haq.proto.quantizer.v1.EvaluateRequest;
import dev.haq.proto.quantizer.v1.EvaluateResponse;
import dev.haq.proto.quantizer.v1.Model;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What a policy does to accuracy. */
@Command(
    name = "evaluate",
    description = "Says how accurate a model is, in float and with a policy.",
    mixinStandardHelpOptions = true)
final class EvaluateCommand implements Callable<Integer> {
  @Mixin private CommonOptions common;
  @Mixin private ModelOption model;
  @Mixin private DataOptions data;
  @Mixin private PolicyOptions policy;
  @Mixin private RecipeOptions recipe;

  @Option(
      names = "--split",
      paramLabel = "PART",
      defaultValue = "all",
      description = "all (the default), search, held-out or calibration.")
  private String split;

  @Override
  public Integer call() {
    Terminal terminal = common.terminal();
    DataSelection.Split part = part(split);
    data.check();
    try (Connection connection = Connection.open(common)) {
      GatewayClient client = connection.client();
      Model known = model.resolve(client, common.terminal());
      Optional<Policy> bits = policy.resolve(known);
      EvaluateRequest request =
          EvaluateRequest.newBuilder()
              .setModel(known.getId())
              .setData(
                  Waiting.on(
                      terminal, DataOptions.SENDING, () -> data.resolve(client, terminal, part)))
              .setRecipe(recipe.recipe())
              .build();
      EvaluateResponse exact =
          Waiting.on(terminal, "evaluating the float model ...", () -> client.evaluate(request));
      Optional<EvaluateResponse> quantized =
          bits.map(
              p ->
                  Waiting.on(
                      terminal,
                      recipe.evaluating(),
                      () ->
                          client.evaluate(
                              request.toBuilder().setPolicy(p).setCompareSpeed(true).build())));
      if (terminal.json()) {
        terminal.document(document(known, request, bits, exact, quantized));
      } else {
        terminal.line(table(exact, quantized));
        quantized.ifPresent(q -> terminal.line(speed(q)));
      }
      return Haq.DONE;
    }
  }

  private static ObjectNode document(
      Model model,
      EvaluateRequest request,
      Optional<Policy> policy,
      EvaluateResponse exact,
      Optional<EvaluateResponse> quantized) {
    ObjectNode document = Json.object().put("model", model.getId());
    document.set("data", Json.tree(request.getData()));
    document.set("float", Json.tree(exact.getAccuracy()));
    if (quantized.isEmpty()) {
      return document.put("seconds", exact.getSeconds());
    }
    EvaluateResponse answer = quantized.get();
    document.put("recipe", request.getRecipe().getName());
    document.set("policy", PolicyFile.tree(policy.orElseThrow()));
    document.set("quantized", Json.tree(answer.getAccuracy()));
    document.put("seconds", answer.getSeconds());
    document.put("preparation_seconds", answer.getPreparationSeconds());
    if (answer.hasFloatSeconds()) {
      document.put("float_seconds", answer.getFloatSeconds());
      document.put("time_ratio", answer.getSeconds() / answer.getFloatSeconds());
    }
    return document;
  }

  private static String table(EvaluateResponse exact, Optional<EvaluateResponse> quantized) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(row("float", exact.getAccuracy()));
    quantized.ifPresent(answer -> rows.add(row("quantized", answer.getAccuracy())));
    return Tables.of(List.of("<", "top-1", "top-5", "cross-entropy", "images"), rows);
  }

  static List<String> row(String name, Accuracy accuracy) {
    return List.of(
        name,
        Figures.fixed(accuracy.getTop1(), 2) + " %",
        Figures.fixed(accuracy.getTop5(), 2) + " %",
        Figures.fixed(accuracy.getCrossEntropy(), 4),
        Integer.toString(accuracy.getImages()));
  }

  private static String speed(EvaluateResponse answer) {
    if (!answer.hasFloatSeconds() || answer.getSeconds() == 0) {
      return "answered from a cache";
    }
    return "%s s quantized, %s s float on the same images: %s of the float model's time; prepared in %s s"
        .formatted(
            Figures.fixed(answer.getSeconds(), 3),
            Figures.fixed(answer.getFloatSeconds(), 3),
            Figures.fixed(answer.getSeconds() / answer.getFloatSeconds(), 2),
            Figures.fixed(answer.getPreparationSeconds(), 1));
  }

  private static DataSelection.Split part(String name) {
    return switch (name.toLowerCase(Locale.ROOT)) {
      case "all" -> DataSelection.Split.ALL;
      case "search" -> DataSelection.Split.SEARCH;
      case "held-out" -> DataSelection.Split.HELD_OUT;
      case "calibration" -> DataSelection.Split.CALIBRATION;
      default ->
          throw HaqException.invalid("--split %s: use all, search, held-out or calibration", name);
    };
  }
}
