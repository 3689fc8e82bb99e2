package dev.haq.gateway.http;

import dev.haq.gateway.GatewaySettings;
import dev.haq.proto.agent.v1.PredictFrontEvent;
import dev.haq.proto.agent.v1.PredictFrontRequest;
import dev.haq.proto.agent.v1.SearchAgentGrpc;
import io.vertx.ext.web.Router;

/**
 * What bits would do at every cost: {@code POST /v1/front} answers server-sent events {@code
 * preparation} and, last, {@code front}, and {@code error} where it ends early. What was measured
 * until then is kept by the quantizer: the same request goes on from there.
 */
final class FrontApi {
  private final GatewaySettings settings;
  private final EventStreams streams;
  private final EventStream.Feed<PredictFrontRequest, PredictFrontEvent> feed;

  FrontApi(GatewaySettings settings, Backend agent, EventStreams streams) {
    this.settings = settings;
    this.streams = streams;
    this.feed =
        new EventStream.Feed<>(
            agent, SearchAgentGrpc.getPredictFrontMethod(), false, FrontApi::format);
  }

  void mount(Router router) {
    router
        .post("/v1/front")
        .handler(Endpoints.collect(settings.limits().jsonBytes()))
        .handler(
            Endpoints.body(
                (ctx, request) -> streams.open(feed, ctx, request),
                PredictFrontRequest::newBuilder,
                PredictFrontRequest.Builder::build));
  }

  private static String format(PredictFrontEvent message) {
    return switch (message.getEventCase()) {
      case PREPARATION ->
          "event: preparation\ndata: " + ProtoJson.print(message.getPreparation()) + "\n\n";
      case FRONT -> "event: front\ndata: " + ProtoJson.print(message.getFront()) + "\n\n";
      // A kind that a newer agent knows and this gateway does not.
      case EVENT_NOT_SET -> ": event of an unknown kind\n\n";
    };
  }
}
