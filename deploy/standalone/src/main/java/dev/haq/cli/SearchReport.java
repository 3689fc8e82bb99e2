package dev.haq.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.haq.model.BitWidth;
import dev.haq.proto.agent.v1.Episode;
import dev.haq.proto.agent.v1.LayerWidths;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.Tuned;
import dev.haq.proto.hwsim.v1.SimulateResponse;
import dev.haq.proto.model.v1.Accuracy;
import dev.haq.proto.model.v1.BitChoices;
import dev.haq.proto.model.v1.Cost;
import dev.haq.proto.model.v1.Layer;
import dev.haq.proto.model.v1.LayerBits;
import dev.haq.proto.model.v1.Network;
import dev.haq.proto.model.v1.Policy;
import dev.haq.proto.model.v1.Resource;
import dev.haq.wire.BestPolicy;
import dev.haq.wire.BitsWire;
import dev.haq.wire.LayerText;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What a finished session found, beside what the same bits everywhere would have given: accuracy on
 * images that the search never saw, and cost.
 */
final class SearchReport {
  private static final int[] UNIFORM_BITS = {8, 6, 5, 4};

  /** Guards a ratio that was computed in another order of additions. */
  private static final double TOLERANCE = 1e-9;

  /**
   * One line of the table.
   *
   * @param bits of a uniform policy; 0 for the others
   * @param accuracy on the held-out images
   * @param cost absent for the float model, which the target does not run
   */
  private record Row(
      String name,
      int bits,
      Optional<Policy> policy,
      Accuracy accuracy,
      Optional<SimulateResponse> cost) {}

  private final ReportFigures figures;
  private final Session session;
  private final List<Row> uniform = new ArrayList<>();
  private final Row baseline;
  private final Row best;

  /** The found policy after the final fine-tuning; empty where there was none. */
  private final Optional<Row> tuned;

  private SearchReport(ReportFigures figures) {
    this.figures = figures;
    this.session = figures.session();
    this.baseline = row("float", 0, Optional.empty());
    TargetOptions.Resolved target = figures.target();
    for (int bits : UNIFORM_BITS) {
      if (target.weightBits().getBitsList().contains(bits)
          && target.activationBits().getBitsList().contains(bits)) {
        uniform.add(row("uniform " + bits + " bit", bits, Optional.of(uniform(bits))));
      }
    }
    this.best = row("found policy", 0, Optional.of(session.getBest().getPolicy()));
    this.tuned = BestPolicy.own(session).tuned().map(this::tunedRow);
  }

  /** Evaluates everything; takes as long as six evaluations. */
  static SearchReport of(ReportFigures figures) {
    return new SearchReport(figures);
  }

  /** On the held-out images, or the search images where none are held out. */
  static Accuracy heldOut(Tuned tuned) {
    return tuned.hasHeldOutAfter() ? tuned.getHeldOutAfter() : tuned.getAfter();
  }

  private Row tunedRow(Tuned model) {
    return new Row(
        "fine-tuned",
        0,
        Optional.of(session.getBest().getPolicy().toBuilder().setModel(model.getModel()).build()),
        heldOut(model),
        best.cost());
  }

  /** Cost of the found policy, layer by layer. */
  private SimulateResponse bestCost() {
    return best.cost().orElseThrow();
  }

  /** Whether what the search went by, or the cost that it came to, is not checked. */
  private boolean isExtrapolated() {
    return session.getExtrapolated() || bestCost().getExtrapolated();
  }

  /**
   * The document of {@code --json}. Accuracies are of the held-out images unless named search, or
   * none are held out.
   */
  ObjectNode document(List<Episode> episodes) {
    ObjectNode document = Json.object();
    document.set("session", Json.tree(session));
    ObjectNode base = node(baseline);
    base.set("search_accuracy", Json.tree(session.getBaseline()));
    document.set("baseline", base);
    ObjectNode found = node(best);
    found.set("search_accuracy", Json.tree(session.getBest().getAccuracy()));
    found.put("episode", session.getBest().getNumber());
    found.put("reward", session.getBest().getReward());
    document.set("best", found);
    tuned.ifPresent(
        row -> {
          ObjectNode node = node(row);
          node.put("model", session.getTuned().getModel());
          node.put("epochs", session.getTuned().getEpochs());
          node.set("recipe", Json.tree(session.getTuned().getRecipe()));
          node.set("search_accuracy", Json.tree(session.getTuned().getAfter()));
          document.set("tuned", node);
        });
    ArrayNode rows = document.putArray("uniform");
    uniform.forEach(row -> rows.add(node(row)));
    figures.fleet().ifPresent(fleet -> fleet.addTo(document));
    document.put("episodes", episodes.size());
    document.put("extrapolated", isExtrapolated());
    return document;
  }

  /** The policy layer by layer, and the table of comparison. */
  String text() {
    String targets = figures.fleet().map(fleet -> "\n\n" + fleet.text()).orElse("");
    return policyTable() + "\n\n" + comparison() + targets;
  }

  private String policyTable() {
    SimulateResponse cost = bestCost();
    Network network = figures.model().getNetwork();
    Resource resource = resource();
    double total = Figures.of(cost.getTotal(), resource);
    List<List<String>> rows = new ArrayList<>();
    for (int i = 0; i < network.getLayersCount(); i++) {
      Layer layer = network.getLayers(i);
      LayerBits bits = session.getBest().getPolicy().getLayers(i);
      double value = Figures.of(cost.getLayers(i).getCost(), resource);
      rows.add(
          List.of(
              Integer.toString(i + 1),
              layer.getName(),
              LayerText.kind(layer),
              Figures.bits(bits.hasWeightBits(), bits.getWeightBits()),
              Figures.bits(bits.hasActivationBits(), bits.getActivationBits()),
              Figures.amount(resource, value),
              Figures.fixed(total > 0 ? 100 * value / total : 0, 1) + " %"));
    }
    return Tables.of(
        List.of("#", "<layer", "<kind", "W", "A", Figures.name(resource), "share"), rows);
  }

  private String comparison() {
    Resource resource = resource();
    List<Row> all = new ArrayList<>();
    all.add(baseline);
    all.addAll(uniform);
    all.add(best);
    tuned.ifPresent(all::add);
    List<List<String>> rows =
        all.stream()
            .map(
                row ->
                    List.of(
                        row.name(),
                        Figures.fixed(row.accuracy().getTop1(), 2) + " %",
                        value(row).map(v -> Figures.amount(resource, v)).orElse("-"),
                        ratio(row).map(r -> Figures.fixed(r, 4)).orElse("-"),
                        meets(row).map(fits -> fits ? "yes" : "no").orElse("-")))
            .toList();
    return Tables.of(
            List.of("<policy", "top-1", Figures.name(resource), "ratio", "within budget"), rows)
        + "\ntop-1 on %d %s; budget %s"
            .formatted(best.accuracy().getImages(), figures.images(), budgets())
        + (tuned.isPresent()
            ? "\nthe fine-tuned model is %s (recipe %s)"
                .formatted(session.getTuned().getModel(), session.getTuned().getRecipe().getName())
            : "")
        + (isExtrapolated() ? Figures.EXTRAPOLATED : "");
  }

  private String budgets() {
    return session.getBudgetsList().stream()
        .map(
            budget ->
                "%s %s"
                    .formatted(
                        Figures.name(budget.getResource()),
                        Figures.amount(budget.getResource(), budget.getLimit())))
        .collect(Collectors.joining(", "));
  }

  private ObjectNode node(Row row) {
    ObjectNode node = Json.object().put("name", row.name());
    if (row.bits() > 0) {
      node.put("bits", row.bits());
    }
    row.policy().ifPresent(policy -> node.set("policy", PolicyFile.tree(policy)));
    node.set("accuracy", Json.tree(row.accuracy()));
    row.cost().ifPresent(cost -> node.set("cost", KnownCost.tree(cost.getTotal())));
    ratio(row).ifPresent(ratio -> node.put("cost_ratio", ratio));
    meets(row).ifPresent(fits -> node.put("meets_budget", fits));
    return node;
  }

  private Optional<Double> value(Row row) {
    return row.cost().map(SimulateResponse::getTotal).map(cost -> Figures.of(cost, resource()));
  }

  private Optional<Double> ratio(Row row) {
    return value(row).map(value -> value / session.getReferenceCost());
  }

  /** Not known of sessions that were stored before all of their budgets were. */
  private Optional<Boolean> meets(Row row) {
    int asked = 1 + session.getSpec().getFurtherBudgetsCount();
    return row.cost()
        .filter(known -> session.getBudgetsCount() == asked)
        .map(SimulateResponse::getTotal)
        .map(
            cost ->
                session.getBudgetsList().stream()
                    .allMatch(
                        budget ->
                            Figures.of(cost, budget.getResource())
                                <= budget.getLimit() * (1 + TOLERANCE)));
  }

  private Resource resource() {
    return session.getSpec().getBudget().getResource();
  }

  private Row row(String name, int bits, Optional<Policy> policy) {
    return new Row(name, bits, policy, figures.accuracy(policy), policy.map(figures::cost));
  }

  /**
   * The same bits everywhere but where the session pins them, as the found policy has them, and in
   * layers with widths of their own the next narrower of these.
   */
  private Policy uniform(int bits) {
    Policy found = session.getBest().getPolicy();
    boolean pinned = !session.getSpec().getSearchFirstAndLast();
    int last = found.getLayersCount() - 1;
    Policy.Builder policy = found.toBuilder();
    for (int i = 0; i <= last; i++) {
      boolean edge = pinned && (i == 0 || i == last);
      LayerBits.Builder layer = policy.getLayersBuilder(i);
      LayerWidths own = ownWidths(layer.getName());
      if (own.hasWeightBits()) {
        layer.setWeightBits(nearest(own.getWeightBits(), bits));
      } else if (!edge) {
        layer.setWeightBits(bits);
      }
      boolean image = i == 0;
      if (own.hasActivationBits()) {
        layer.setActivationBits(nearest(own.getActivationBits(), bits));
      } else if (!edge && !image && layer.hasActivationBits()) {
        layer.setActivationBits(bits);
      }
    }
    return policy.build();
  }

  private LayerWidths ownWidths(String layer) {
    return session.getSpec().getLayerWidthsList().stream()
        .filter(own -> own.getLayer().equals(layer))
        .findFirst()
        .orElse(LayerWidths.getDefaultInstance());
  }

  private static int nearest(BitChoices choices, int bits) {
    return BitsWire.fromProto(choices).nearest(BitWidth.of(bits)).bits();
  }

  /** The cost of the found policy on the session's resource, for a line of its own. */
  static String summary(Session session) {
    Cost cost = session.getBest().getCost();
    Resource resource = session.getSpec().getBudget().getResource();
    return "best: episode %d, reward %s, top-1 %s %%, %s %s, ratio %s"
        .formatted(
            session.getBest().getNumber(),
            Figures.fixed(session.getBest().getReward(), 4),
            Figures.fixed(session.getBest().getAccuracy().getTop1(), 2),
            Figures.name(resource),
            Figures.amount(resource, Figures.of(cost, resource)),
            Figures.fixed(session.getBest().getCostRatio(), 4));
  }
}
