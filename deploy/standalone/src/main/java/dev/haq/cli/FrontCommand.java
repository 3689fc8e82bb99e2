package dev.haq.cli;

import dev.haq.model.HaqException;
import dev.haq.model.Resource;
import dev.haq.proto.agent.v1.PredictFrontRequest;
import dev.haq.proto.agent.v1.PredictedFront;
import dev.haq.proto.agent.v1.PredictedPoint;
import dev.haq.proto.model.v1.Accuracy;
import dev.haq.proto.model.v1.DataSelection;
import dev.haq.proto.quantizer.v1.EvaluateRequest;
import dev.haq.proto.quantizer.v1.Model;
import dev.haq.wire.CostWire;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What bits would do at every cost, without a search. */
@Command(
    name = "front",
    description = {
      "Predicts what bits would do at every cost, without a search: measures what each width of"
          + " each layer does by itself, and finds by dynamic programming the policies that lose"
          + " least of it for what they cost.",
      "Losses of layers do not add up exactly: --evaluate says what each policy does. What was"
          + " measured is kept: interrupted, it goes on where it was."
    },
    mixinStandardHelpOptions = true)
final class FrontCommand implements Callable<Integer> {
  private static final int MOST_POINTS = 1000;

  @Mixin private CommonOptions common;
  @Mixin private ModelOption model;
  @Mixin private DataOptions data;
  @Mixin private TargetOptions target;

  @Option(
      names = "--resource",
      paramLabel = "R",
      defaultValue = "latency",
      description = "What policies cost: latency (the default), energy or size.")
  private String resource;

  @Option(
      names = "--points",
      paramLabel = "N",
      defaultValue = "20",
      description =
          "Most policies, evenly spread from the cheapest to the dearest, 2 to 1000;"
              + " ${DEFAULT-VALUE} by default.")
  private int points;

  @Mixin private RecipeOptions recipe;

  @Mixin private WidthOptions widthOptions;

  @Option(
      names = "--evaluate",
      description =
          "Evaluate each policy: its top-1 on the held-out images, which sensitivities are not"
              + " measured on, or on the search images where none are held out.")
  private boolean evaluate;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description =
          "A folder for front.csv, a row a policy, front.json, and policy-001.json and so on, which"
              + " --policy takes.")
  private Path out;

  @Override
  public Integer call() {
    Terminal terminal = common.terminal();
    Resource wanted = ResourceOption.parse("--resource", resource);
    if (points < 2 || points > MOST_POINTS) {
      throw HaqException.invalid("--points %d: use 2 to %d", points, MOST_POINTS);
    }
    WidthOptions.Widths widths = widthOptions.widths();
    data.check();
    if (out != null) {
      OutFile.checkFolder(out);
    }
    try (Connection connection = Connection.openWithAgent(common)) {
      GatewayClient client = connection.client();
      TargetOptions.Resolved resolved = target.resolve(client, wanted);
      Model known = model.resolve(client, terminal);
      PredictFrontRequest.Builder asked =
          PredictFrontRequest.newBuilder()
              .setModel(known.getId())
              .setData(data.resolve(client, terminal, DataSelection.Split.SEARCH))
              .setTarget(resolved.ref())
              .setResource(CostWire.toProto(wanted))
              .setRecipe(recipe.recipe())
              .setSearchFirstAndLast(widths.searchFirstAndLast())
              .addAllLayerWidths(widths.layers())
              .setMaxPoints(points);
      widths.weightBits().ifPresent(asked::setWeightBits);
      widths.activationBits().ifPresent(asked::setActivationBits);
      PredictFrontRequest request = asked.build();
      PredictedFront front = predicted(client, terminal, request);
      Optional<FrontReport.Judgement> judgement =
          evaluate ? Optional.of(judged(client, terminal, request, front)) : Optional.empty();
      report(terminal, new FrontReport(resolved.name(), request, front, judgement));
      return Haq.DONE;
    }
  }

  private static PredictedFront predicted(
      GatewayClient client, Terminal terminal, PredictFrontRequest request) {
    try (ProgressLine line = new ProgressLine(terminal, "measuring sensitivities")) {
      return client.predictFront(
          request,
          now -> line.reached(now.getMeasured(), now.getToMeasure(), now.getSecondsLeft()));
    }
  }

  private FrontReport.Judgement judged(
      GatewayClient client, Terminal terminal, PredictFrontRequest request, PredictedFront front) {
    JudgingImages images = JudgingImages.of(client, request.getData());
    EvaluateRequest floatModel =
        EvaluateRequest.newBuilder()
            .setModel(request.getModel())
            .setData(images.data())
            .setRecipe(request.getRecipe())
            .build();
    Accuracy baseline =
        Waiting.on(terminal, recipe.evaluating(), () -> client.evaluate(floatModel)).getAccuracy();
    List<Accuracy> accuracies = new ArrayList<>();
    long begun = System.nanoTime();
    try (ProgressLine line = new ProgressLine(terminal, "evaluating policies")) {
      for (PredictedPoint point : front.getPointsList()) {
        accuracies.add(
            client
                .evaluate(floatModel.toBuilder().setPolicy(point.getPolicy()).build())
                .getAccuracy());
        int done = accuracies.size();
        double each = (System.nanoTime() - begun) / 1e9 / done;
        line.reached(done, front.getPointsCount(), each * (front.getPointsCount() - done));
      }
    }
    return new FrontReport.Judgement(images, baseline, accuracies);
  }

  private void report(Terminal terminal, FrontReport report) {
    Optional<String> written = Optional.ofNullable(out).map(report::write);
    if (terminal.json()) {
      terminal.document(report.document());
      return;
    }
    terminal.line(report.text());
    written.ifPresent(terminal::line);
  }
}
