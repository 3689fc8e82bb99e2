package dev.haq.cli;

import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionSpec;
import dev.haq.proto.hwsim.v1.SimulateRequest;
import dev.haq.proto.hwsim.v1.SimulateResponse;
import dev.haq.proto.hwsim.v1.TargetRef;
import dev.haq.proto.model.v1.Accuracy;
import dev.haq.proto.model.v1.BitChoices;
import dev.haq.proto.model.v1.Budget;
import dev.haq.proto.model.v1.Policy;
import dev.haq.proto.model.v1.Resource;
import dev.haq.proto.quantizer.v1.EvaluateRequest;
import dev.haq.proto.quantizer.v1.Model;
import dev.haq.wire.CostWire;
import dev.haq.wire.RecipeWire;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** Where the accuracies and costs of a session's report come from. */
final class ReportFigures {
  private static final int EIGHT = 8;

  private final GatewayClient client;
  private final Session session;
  private final Model model;
  private final JudgingImages images;

  private ReportFigures(GatewayClient client, Session session, Model model, JudgingImages images) {
    this.client = client;
    this.session = session;
    this.model = model;
    this.images = images;
  }

  /**
   * A budget.
   *
   * @param most in the resource's unit
   */
  record Limit(Resource resource, double most) {}

  /** Evaluates nothing yet. */
  static ReportFigures of(GatewayClient client, Session session) {
    SessionSpec spec = session.getSpec();
    return new ReportFigures(
        client, session, client.model(spec.getModel()), JudgingImages.of(client, spec.getData()));
  }

  Session session() {
    return session;
  }

  Model model() {
    return model;
  }

  /** The images that accuracies are of, for people. */
  String images() {
    return images.text();
  }

  TargetOptions.Resolved target() {
    return TargetOptions.resolve(client, session.getSpec().getTarget());
  }

  /** What was found for each target, where there are several. */
  Optional<FleetReport> fleet() {
    return session.getTargetsCount() == 0
        ? Optional.empty()
        : Optional.of(
            new FleetReport(
                session, images(), policy -> accuracy(Optional.of(policy)), this::cost));
  }

  /**
   * On the held-out images, or the search images where none are held out.
   *
   * @param policy empty for the float model
   */
  Accuracy accuracy(Optional<Policy> policy) {
    SessionSpec spec = session.getSpec();
    EvaluateRequest.Builder request =
        EvaluateRequest.newBuilder()
            .setModel(spec.getModel())
            .setData(images.data())
            .setRecipe(spec.getRecipe());
    policy.ifPresent(request::setPolicy);
    return client.evaluate(request.build()).getAccuracy();
  }

  /** What a policy has to keep to on the session's own target. */
  List<Limit> limits() {
    if (session.getTargetsCount() > 0) {
      return session.getTargets(0).getBudgetsList().stream()
          .map(budget -> new Limit(budget.getResource(), budget.getLimit()))
          .toList();
    }
    SessionSpec spec = session.getSpec();
    List<Limit> limits = new ArrayList<>();
    limits.add(new Limit(spec.getBudget().getResource(), session.getBudgetLimit()));
    for (Budget budget : spec.getFurtherBudgetsList()) {
      dev.haq.model.Budget asked = CostWire.fromProto(budget);
      double limit =
          asked.kind() == dev.haq.model.Budget.Kind.ABSOLUTE
              ? asked.value()
              : asked.limit(reference(budget.getResource()));
      limits.add(new Limit(budget.getResource(), limit));
    }
    return limits;
  }

  /** What a ratio refers to: the cost of 8 bits everywhere, or the float model's size. */
  private double reference(Resource resource) {
    TargetOptions.Resolved target = target();
    Policy policy =
        resource == Resource.MODEL_SIZE
            ? uniform(OptionalInt.empty(), OptionalInt.empty())
            : uniform(eightOrWidest(target.weightBits()), eightOrWidest(target.activationBits()));
    return Figures.of(cost(policy).getTotal(), resource);
  }

  private Policy uniform(OptionalInt weights, OptionalInt activations) {
    return BitsText.uniform(model.getId(), model.getNetwork(), weights, activations);
  }

  private static OptionalInt eightOrWidest(BitChoices choices) {
    return choices.getBitsList().contains(EIGHT)
        ? OptionalInt.of(EIGHT)
        : choices.getBitsList().stream().mapToInt(Integer::intValue).max();
  }

  /** Layer by layer, on the session's own target. */
  SimulateResponse cost(Policy policy) {
    return cost(session.getSpec().getTarget(), policy);
  }

  private SimulateResponse cost(TargetRef target, Policy policy) {
    SimulateRequest.Builder request =
        SimulateRequest.newBuilder()
            .setTarget(target)
            .setNetwork(model.getNetwork())
            .setPolicy(policy)
            .setCountCodebooks(RecipeWire.fromProto(session.getSpec().getRecipe()).hasCodebooks());
    if (KnownCost.hasFloat(policy)) {
      request.addResources(Resource.MODEL_SIZE);
    }
    return client.simulate(request.build());
  }
}
