package dev.haq.gateway.http;

import dev.haq.gateway.GatewaySettings;
import dev.haq.proto.quantizer.v1.FineTuneRequest;
import dev.haq.proto.quantizer.v1.FineTuneResponse;
import dev.haq.proto.quantizer.v1.QuantizerGrpc;
import io.vertx.ext.web.Router;

/**
 * Fine-tuning: {@code POST /v1/fine-tune} answers server-sent events {@code progress} and, last,
 * {@code result}, and {@code error} where it ends early. The quantizer keeps every epoch: the same
 * request goes on from there.
 */
final class FineTuningApi {
  private final GatewaySettings settings;
  private final EventStreams streams;
  private final EventStream.Feed<FineTuneRequest, FineTuneResponse> feed;

  FineTuningApi(GatewaySettings settings, Backend quantizer, EventStreams streams) {
    this.settings = settings;
    this.streams = streams;
    this.feed =
        new EventStream.Feed<>(
            quantizer, QuantizerGrpc.getFineTuneMethod(), false, FineTuningApi::format);
  }

  void mount(Router router) {
    router
        .post("/v1/fine-tune")
        .handler(Endpoints.collect(settings.limits().jsonBytes()))
        .handler(
            Endpoints.body(
                (ctx, request) -> streams.open(feed, ctx, request),
                FineTuneRequest::newBuilder,
                FineTuneRequest.Builder::build));
  }

  private static String format(FineTuneResponse message) {
    return switch (message.getPartCase()) {
      case PROGRESS -> "event: progress\ndata: " + ProtoJson.print(message.getProgress()) + "\n\n";
      case RESULT -> "event: result\ndata: " + ProtoJson.print(message.getResult()) + "\n\n";
      // A kind that a newer quantizer knows and this gateway does not.
      case PART_NOT_SET -> ": event of an unknown kind\n\n";
    };
  }
}
