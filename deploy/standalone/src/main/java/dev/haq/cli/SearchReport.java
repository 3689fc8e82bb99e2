package dev.haq.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.haq.proto.agent.v1.Episode;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionSpec;
import dev.haq.proto.agent.v1.Tuned;
import dev.haq.proto.hwsim.v1.SimulateRequest;
import dev.haq.proto.hwsim.v1.SimulateResponse;
import dev.haq.proto.hwsim.v1.TargetRef;
import dev.haq.proto.model.v1.Accuracy;
import dev.haq.proto.model.v1.Cost;
import dev.haq.proto.model.v1.DataSelection;
import dev.haq.proto.model.v1.Layer;
import dev.haq.proto.model.v1.LayerBits;
import dev.haq.proto.model.v1.Policy;
import dev.haq.proto.model.v1.Resource;
import dev.haq.proto.quantizer.v1.EvaluateRequest;
import dev.haq.proto.quantizer.v1.Model;
import dev.haq.wire.BestPolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

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

  private final GatewayClient client;
  private final Session session;
  private final Model model;
  private final List<Row> uniform = new ArrayList<>();
  private final Row baseline;
  private final Row best;

  /** The found policy after the final fine-tuning; empty where there was none. */
  private final Optional<Row> tuned;

  private SearchReport(GatewayClient client, Session session) {
    this.client = client;
    this.session = session;
    this.model = client.model(session.getSpec().getModel());
    this.baseline = row("float", 0, Optional.empty());
    TargetOptions.Resolved target = TargetOptions.resolve(client, session.getSpec().getTarget());
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
  static SearchReport of(GatewayClient client, Session session) {
    return new SearchReport(client, session);
  }

  Model model() {
    return model;
  }

  private static boolean holdsOut(Session session) {
    DataSelection data = session.getSpec().getData();
    return !data.hasHeldOutFraction() || data.getHeldOutFraction() > 0;
  }

  /** The images that accuracies are of, for people. */
  static String images(Session session) {
    return holdsOut(session) ? "held-out images" : "search images (none held out)";
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

  /** What was found for each target, where there are several. */
  Optional<FleetReport> fleet() {
    return session.getTargetsCount() == 0
        ? Optional.empty()
        : Optional.of(
            new FleetReport(session, policy -> accuracy(Optional.of(policy)), this::cost));
  }

  /** Cost of the found policy, layer by layer. */
  SimulateResponse bestCost() {
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
    fleet().ifPresent(fleet -> fleet.addTo(document));
    document.put("episodes", episodes.size());
    document.put("extrapolated", isExtrapolated());
    return document;
  }

  /** The policy layer by layer, and the table of comparison. */
  String text() {
    String targets = fleet().map(fleet -> "\n\n" + fleet.text()).orElse("");
    return policyTable() + "\n\n" + comparison() + targets;
  }

  private String policyTable() {
    SimulateResponse cost = bestCost();
    Resource resource = resource();
    double total = Figures.of(cost.getTotal(), resource);
    List<List<String>> rows = new ArrayList<>();
    for (int i = 0; i < model.getNetwork().getLayersCount(); i++) {
      Layer layer = model.getNetwork().getLayers(i);
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
            .formatted(
                best.accuracy().getImages(),
                images(session),
                Figures.amount(resource, session.getBudgetLimit()))
        + (tuned.isPresent()
            ? "\nthe fine-tuned model is %s (recipe %s)"
                .formatted(session.getTuned().getModel(), session.getTuned().getRecipe().getName())
            : "")
        + (isExtrapolated() ? Figures.EXTRAPOLATED : "");
  }

  private ObjectNode node(Row row) {
    ObjectNode node = Json.object().put("name", row.name());
    if (row.bits() > 0) {
      node.put("bits", row.bits());
    }
    row.policy().ifPresent(policy -> node.set("policy", PolicyFile.tree(policy)));
    node.set("accuracy", Json.tree(row.accuracy()));
    row.cost().ifPresent(cost -> node.set("cost", Json.tree(cost.getTotal())));
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

  private Optional<Boolean> meets(Row row) {
    return value(row).map(value -> value <= session.getBudgetLimit() * (1 + TOLERANCE));
  }

  private Resource resource() {
    return session.getSpec().getBudget().getResource();
  }

  private Row row(String name, int bits, Optional<Policy> policy) {
    return new Row(name, bits, policy, accuracy(policy), policy.map(this::cost));
  }

  private Accuracy accuracy(Optional<Policy> policy) {
    SessionSpec spec = session.getSpec();
    DataSelection.Builder data =
        spec.getData().toBuilder().setSplit(DataSelection.Split.HELD_OUT).setMaxImages(0);
    if (!holdsOut(session)) {
      data.setSplit(DataSelection.Split.SEARCH).setMaxImages(spec.getData().getMaxImages());
    }
    EvaluateRequest.Builder request =
        EvaluateRequest.newBuilder()
            .setModel(spec.getModel())
            .setData(data)
            .setRecipe(spec.getRecipe());
    policy.ifPresent(request::setPolicy);
    return client.evaluate(request.build()).getAccuracy();
  }

  private SimulateResponse cost(Policy policy) {
    return cost(session.getSpec().getTarget(), resource(), policy);
  }

  private SimulateResponse cost(TargetRef target, Resource resource, Policy policy) {
    SimulateRequest.Builder request =
        SimulateRequest.newBuilder()
            .setTarget(target)
            .setNetwork(model.getNetwork())
            .setPolicy(policy);
    if (resource == Resource.MODEL_SIZE) {
      request.addResources(resource);
    }
    return client.simulate(request.build());
  }

  /** The same bits everywhere but where the session pins them, as the found policy has them. */
  private Policy uniform(int bits) {
    Policy found = session.getBest().getPolicy();
    boolean pinned = !session.getSpec().getSearchFirstAndLast();
    int last = found.getLayersCount() - 1;
    Policy.Builder policy = found.toBuilder();
    for (int i = 0; i <= last; i++) {
      boolean edge = pinned && (i == 0 || i == last);
      LayerBits.Builder layer = policy.getLayersBuilder(i);
      if (!edge) {
        layer.setWeightBits(bits);
      }
      boolean image = i == 0;
      if (!edge && !image && layer.hasActivationBits()) {
        layer.setActivationBits(bits);
      }
    }
    return policy.build();
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
