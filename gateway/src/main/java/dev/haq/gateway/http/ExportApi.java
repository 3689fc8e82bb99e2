package dev.haq.gateway.http;

import dev.haq.gateway.GatewaySettings;
import dev.haq.gateway.backend.Backends;
import dev.haq.proto.agent.v1.GetSessionRequest;
import dev.haq.proto.agent.v1.SearchAgentGrpc;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.Tuned;
import dev.haq.proto.model.v1.DataSelection;
import dev.haq.proto.quantizer.v1.ExportRequest;
import dev.haq.wire.BestPolicy;
import dev.haq.wire.ExportNames;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.util.function.Function;

/** Files for other tools: {@code /v1/export} and {@code /v1/sessions/{id}/export}. */
final class ExportApi {
  private final GatewaySettings settings;
  private final Backends backends;
  private final JsonBodies bodies;

  ExportApi(GatewaySettings settings, Backends backends, JsonBodies bodies) {
    this.settings = settings;
    this.backends = backends;
    this.bodies = bodies;
  }

  void mount(Router router) {
    bodies.post(
        router,
        "/v1/export",
        this::download,
        ExportRequest::newBuilder,
        ExportRequest.Builder::build);
    router.get("/v1/sessions/:id/export").handler(this::exportBest);
  }

  private void download(RoutingContext ctx, ExportRequest request) {
    Download.export(backends.quantizer(), ctx, settings.deadlines().evaluate(), request);
  }

  private void exportBest(RoutingContext ctx) {
    ExportRequest.Format format =
        ExportNames.parse(Query.required(ctx, "format", String.join("|", ExportNames.all())));
    Function<Session, BestPolicy> choice = SessionApi.chosen(ctx);
    new UnaryCall<>(
            backends.agent(),
            SearchAgentGrpc.getGetSessionMethod(),
            settings.deadlines().read(),
            session -> exportOf(request(session, choice.apply(session), format)))
        .start(ctx, GetSessionRequest.newBuilder().setId(Query.path(ctx, "id")).build());
  }

  private Answer exportOf(ExportRequest request) {
    return ctx -> download(ctx, request);
  }

  /**
   * A policy that a session found, by the network that was fine-tuned for it where one was, checked
   * on the images that the session searched with.
   */
  private static ExportRequest request(
      Session session, BestPolicy best, ExportRequest.Format format) {
    DataSelection.Builder data = session.getSpec().getData().toBuilder();
    if (data.getSplit() == DataSelection.Split.ALL) {
      data.setSplit(DataSelection.Split.SEARCH);
    }
    String model = best.tuned().map(Tuned::getModel).orElse(session.getSpec().getModel());
    return ExportRequest.newBuilder()
        .setModel(model)
        .setPolicy(best.episode().getPolicy().toBuilder().setModel(model))
        .setRecipe(best.tuned().map(Tuned::getRecipe).orElse(session.getSpec().getRecipe()))
        .setData(data)
        .setFormat(format)
        .build();
  }
}
