package dev.haq.cli;

import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionSpec;
import dev.haq.proto.hwsim.v1.SimulateRequest;
import dev.haq.proto.hwsim.v1.SimulateResponse;
import dev.haq.proto.hwsim.v1.TargetRef;
import dev.haq.proto.model.v1.Accuracy;
import dev.haq.proto.model.v1.Policy;
import dev.haq.proto.model.v1.Resource;
import dev.haq.proto.quantizer.v1.EvaluateRequest;
import dev.haq.proto.quantizer.v1.Model;
import dev.haq.wire.RecipeWire;
import java.util.Optional;

/** Where the accuracies and costs of a session's report come from. */
final class ReportFigures {
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
    return TargetOptions.resolve(client, TargetOptions.OPTION, session.getSpec().getTarget());
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
