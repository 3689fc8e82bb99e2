package dev.haq.gateway.http;

import static dev.haq.gateway.http.Endpoints.collect;

import dev.haq.gateway.GatewaySettings;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.agent.v1.GetSessionRequest;
import dev.haq.proto.agent.v1.SearchAgentGrpc;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.model.v1.DataSelection;
import dev.haq.proto.quantizer.v1.ExportRequest;
import dev.haq.wire.ExportNames;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.util.concurrent.TimeUnit;

/** Files for other tools: {@code /v1/export} and {@code /v1/sessions/{id}/export}. */
final class ExportApi {
  private final GatewaySettings settings;
  private final Backends backends;

  ExportApi(GatewaySettings settings, Backends backends) {
    this.settings = settings;
    this.backends = backends;
  }

  void mount(Router router) {
    router
        .post("/v1/export")
        .handler(collect(settings.limits().jsonBytes()))
        .handler(
            ctx ->
                download(
                    ctx,
                    ProtoJson.parse(
                            ctx.body().buffer(), "the request body", ExportRequest.newBuilder())
                        .build()));
    router.get("/v1/sessions/:id/export").handler(this::exportBest);
  }

  private void download(RoutingContext ctx, ExportRequest request) {
    Download.export(backends.quantizer(), ctx, settings.deadlines().evaluate(), request);
  }

  private void exportBest(RoutingContext ctx) {
    ExportRequest.Format format =
        ExportNames.parse(Query.required(ctx, "format", String.join("|", ExportNames.all())));
    GetSessionRequest request = GetSessionRequest.newBuilder().setId(Query.path(ctx, "id")).build();
    Context context = Vertx.currentContext();
    ClientCall<GetSessionRequest, Session> call =
        backends
            .agent()
            .channel()
            .newCall(
                SearchAgentGrpc.getGetSessionMethod(),
                CallOptions.DEFAULT.withDeadlineAfter(
                    settings.deadlines().read().toMillis(), TimeUnit.MILLISECONDS));
    ctx.response().closeHandler(v -> call.cancel("the HTTP client left", null));
    ClientCalls.asyncUnaryCall(
        call,
        request,
        new StreamObserver<Session>() {
          @Override
          public void onNext(Session session) {
            context.runOnContext(v -> download(ctx, session, format));
          }

          @Override
          public void onError(Throwable failure) {
            context.runOnContext(v -> ctx.fail(backends.agent().translate(failure)));
          }

          @Override
          public void onCompleted() {
            // The single answer was taken by onNext.
          }
        });
  }

  private void download(RoutingContext ctx, Session session, ExportRequest.Format format) {
    try {
      download(ctx, best(session, format));
    } catch (RuntimeException e) {
      ctx.fail(e);
    }
  }

  /** The best policy of a session, checked on the images that the session searched with. */
  private static ExportRequest best(Session session, ExportRequest.Format format) {
    if (!session.hasBest()) {
      throw new HaqException(
          Reason.UNKNOWN_EPISODE,
          "session %s has no episode yet that meets its budget: ask again after the next one"
              .formatted(session.getId()));
    }
    DataSelection.Builder data = session.getSpec().getData().toBuilder();
    if (data.getSplit() == DataSelection.Split.ALL) {
      data.setSplit(DataSelection.Split.SEARCH);
    }
    return ExportRequest.newBuilder()
        .setModel(session.getSpec().getModel())
        .setPolicy(session.getBest().getPolicy())
        .setRecipe(session.getSpec().getRecipe())
        .setData(data)
        .setFormat(format)
        .build();
  }
}
