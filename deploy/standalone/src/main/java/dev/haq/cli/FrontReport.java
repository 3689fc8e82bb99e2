package dev.haq.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.haq.proto.agent.v1.PredictFrontRequest;
import dev.haq.proto.agent.v1.PredictedFront;
import dev.haq.proto.agent.v1.PredictedPoint;
import dev.haq.proto.model.v1.Accuracy;
import dev.haq.proto.model.v1.LayerBits;
import dev.haq.proto.model.v1.Policy;
import dev.haq.proto.model.v1.Resource;
import dev.haq.wire.CsvText;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * A predicted front as a table, a document and files.
 *
 * @param target its name
 * @param judgement empty where nothing was evaluated
 */
record FrontReport(
    String target,
    PredictFrontRequest request,
    PredictedFront front,
    Optional<Judgement> judgement) {
  /**
   * What the policies do in truth.
   *
   * @param baseline of the float model
   * @param accuracies one a point, in their order
   */
  record Judgement(JudgingImages images, Accuracy baseline, List<Accuracy> accuracies) {}

  private static final String TABLE = "front.csv";
  private static final String DOCUMENT = "front.json";

  /** The table, and what its figures are. */
  String text() {
    List<String> headings =
        new ArrayList<>(
            List.of("#", Figures.name(resource()), reference(), "mean W", "mean A", "divergence"));
    judgement.ifPresent(judged -> headings.add("top-1"));
    List<List<String>> rows = new ArrayList<>();
    for (int i = 0; i < front.getPointsCount(); i++) {
      rows.add(row(i));
    }
    return Tables.of(headings, rows)
        + "\ndivergence from the float model as predicted, nats: what each width does by itself, added up"
        + "\nno policy predicted to diverge as little as one of these costs less by more than %s (%s %s)%s"
            .formatted(
                Figures.amount(resource(), front.getSlack()),
                Figures.fixed(front.getSlack() / front.getReferenceCost(), 4),
                reference(),
                front.getExtrapolated() ? Figures.EXTRAPOLATED : "")
        + judgement.map(FrontReport::judgedOn).orElse("");
  }

  private static String judgedOn(Judgement judged) {
    return "\ntop-1 on %d %s; float %s %%"
        .formatted(
            judged.baseline().getImages(),
            judged.images().text(),
            Figures.fixed(judged.baseline().getTop1(), 2));
  }

  private List<String> row(int i) {
    PredictedPoint point = front.getPoints(i);
    List<String> row =
        new ArrayList<>(
            List.of(
                Integer.toString(i + 1),
                Figures.amount(resource(), point.getCost()),
                Figures.fixed(point.getCostRatio(), 4),
                Figures.fixed(weightBits(point.getPolicy()), 2),
                activationBits(point.getPolicy()).stream()
                    .mapToObj(bits -> Figures.fixed(bits, 2))
                    .findFirst()
                    .orElse("float"),
                Figures.fixed(point.getDivergence(), 4)));
    judgement.ifPresent(
        judged -> row.add(Figures.fixed(judged.accuracies().get(i).getTop1(), 2) + " %"));
    return row;
  }

  /** The document of {@code --json}. */
  ObjectNode document() {
    ObjectNode document =
        Json.object()
            .put("model", request.getModel())
            .put("target", target)
            .put("resource", resource().name());
    document.set("data", Json.tree(request.getData()));
    document.set("recipe", Json.tree(request.getRecipe()));
    document
        .put("reference_cost", front.getReferenceCost())
        .put("slack", front.getSlack())
        .put("extrapolated", front.getExtrapolated());
    judgement.ifPresent(
        judged -> {
          document.set("judging_data", Json.tree(judged.images().data()));
          document.set("baseline", Json.tree(judged.baseline()));
        });
    ArrayNode points = document.putArray("points");
    for (int i = 0; i < front.getPointsCount(); i++) {
      points.add(node(i));
    }
    return document;
  }

  private ObjectNode node(int i) {
    PredictedPoint point = front.getPoints(i);
    ObjectNode node =
        Json.object()
            .put("cost", point.getCost())
            .put("cost_ratio", point.getCostRatio())
            .put("divergence", point.getDivergence())
            .put("mean_weight_bits", weightBits(point.getPolicy()));
    activationBits(point.getPolicy()).ifPresent(bits -> node.put("mean_activation_bits", bits));
    judgement.ifPresent(judged -> node.set("accuracy", Json.tree(judged.accuracies().get(i))));
    node.set("policy", PolicyFile.tree(point.getPolicy()));
    return node;
  }

  /**
   * Writes the table, the policies and the document.
   *
   * @return a line that says what was written
   */
  String write(Path folder) {
    ResultFiles files = new ResultFiles(folder, DOCUMENT);
    files.add(TABLE, csv());
    for (int i = 0; i < front.getPointsCount(); i++) {
      files.add(policyName(i), PolicyFile.text(front.getPoints(i).getPolicy()));
    }
    files.finish(document());
    return "wrote %s, %s to %s and %s into %s"
        .formatted(TABLE, policyName(0), policyName(front.getPointsCount() - 1), DOCUMENT, folder);
  }

  private static String policyName(int i) {
    return "policy-%03d.json".formatted(i + 1);
  }

  private String csv() {
    List<Integer> points = IntStream.range(0, front.getPointsCount()).boxed().toList();
    return CsvText.of(points)
        .column("point", i -> i + 1)
        .column(costName(), i -> front.getPoints(i).getCost())
        .column("cost_ratio", i -> front.getPoints(i).getCostRatio())
        .column("mean_weight_bits", i -> weightBits(front.getPoints(i).getPolicy()))
        .column("mean_activation_bits", i -> cell(activationBits(front.getPoints(i).getPolicy())))
        .column("divergence", i -> front.getPoints(i).getDivergence())
        .column("images", i -> judged(i, Accuracy::getImages))
        .column("top1", i -> judged(i, Accuracy::getTop1))
        .column("top5", i -> judged(i, Accuracy::getTop5))
        .column("cross_entropy", i -> judged(i, Accuracy::getCrossEntropy))
        .column("policy", FrontReport::policyName)
        .text();
  }

  private static Object cell(OptionalDouble value) {
    return value.isPresent() ? value.getAsDouble() : "";
  }

  /** Empty where nothing was evaluated. */
  private Object judged(int i, Function<Accuracy, Object> figure) {
    return judgement.map(judged -> figure.apply(judged.accuracies().get(i))).orElse("");
  }

  private String costName() {
    return switch (resource()) {
      case ENERGY -> "energy_joules";
      case MODEL_SIZE -> "model_size_bytes";
      default -> "latency_seconds";
    };
  }

  /** What cost ratios are of. */
  private String reference() {
    return resource() == Resource.MODEL_SIZE ? "of float" : "of 8 bit";
  }

  private Resource resource() {
    return request.getResource();
  }

  /** Mean over the layers, pinned ones included. */
  private static double weightBits(Policy policy) {
    return policy.getLayersList().stream()
        .mapToInt(LayerBits::getWeightBits)
        .average()
        .orElseThrow();
  }

  /** The same of activations; empty where they are float. */
  private static OptionalDouble activationBits(Policy policy) {
    return policy.getLayersList().stream()
        .filter(LayerBits::hasActivationBits)
        .mapToInt(LayerBits::getActivationBits)
        .average();
  }
}
