package dev.haq.cli;

import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionSpec;
import dev.haq.proto.hwsim.v1.SimulateRequest;
import dev.haq.proto.hwsim.v1.SimulateResponse;
import dev.haq.proto.hwsim.v1.TargetRef;
import dev.haq.proto.model.v1.Accuracy;
import dev.haq.proto.model.v1.DataSelection;
import dev.haq.proto.model.v1.Policy;
import dev.haq.proto.model.v1.Resource;
import dev.haq.proto.quantizer.v1.EvaluateRequest;
import dev.haq.proto.quantizer.v1.Model;
import dev.haq.wire.DataWire;
import dev.haq.wire.RecipeWire;
import java.util.Optional;

/** Where the accuracies and costs of a session's report come from. */
final class ReportFigures {
  private final GatewayClient client;
  private final Session session;
  private final Model model;
  private final boolean holdsOut;

  private ReportFigures(GatewayClient client, Session session, Model model, boolean holdsOut) {
    this.client = client;
    this.session = session;
    this.model = model;
    this.holdsOut = holdsOut;
  }

  /** Evaluates nothing yet. */
  static ReportFigures of(GatewayClient client, Session session) {
    SessionSpec spec = session.getSpec();
    return new ReportFigures(
        client, session, client.model(spec.getModel()), holdsOut(client, spec.getData()));
  }

  /** The built-in images are held out in a part of their own, whatever the fraction above 0. */
  private static boolean holdsOut(GatewayClient client, DataSelection selection) {
    dev.haq.model.DataSelection data = DataWire.fromProto(selection);
    if (data.datasetId().equals(ModelOption.BUILTIN)) {
      return data.heldOutFraction() > 0;
    }
    return client
        .findDataset(data.datasetId())
        .map(dataset -> data.heldOutImages(dataset.getImages()) > 0)
        .orElse(data.heldOutFraction() > 0);
  }

  Session session() {
    return session;
  }

  Model model() {
    return model;
  }

  /** The images that accuracies are of, for people. */
  String images() {
    return holdsOut ? "held-out images" : "search images (none held out)";
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
    DataSelection.Builder data =
        spec.getData().toBuilder().setSplit(DataSelection.Split.HELD_OUT).setMaxImages(0);
    if (!holdsOut) {
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

  /** Layer by layer, on the session's own target. */
  SimulateResponse cost(Policy policy) {
    SessionSpec spec = session.getSpec();
    return cost(spec.getTarget(), spec.getBudget().getResource(), policy);
  }

  private SimulateResponse cost(TargetRef target, Resource resource, Policy policy) {
    SimulateRequest.Builder request =
        SimulateRequest.newBuilder()
            .setTarget(target)
            .setNetwork(model.getNetwork())
            .setPolicy(policy)
            .setCountCodebooks(RecipeWire.fromProto(session.getSpec().getRecipe()).hasCodebooks());
    if (resource == Resource.MODEL_SIZE) {
      request.addResources(resource);
    }
    return client.simulate(request.build());
  }
}
