package dev.haq.gateway.http;

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
  private final EventStreams streams;
  private final JsonBodies bodies;
  private final EventStream.Feed<FineTuneRequest, FineTuneResponse> feed;

  FineTuningApi(Backend quantizer, EventStreams streams, JsonBodies bodies) {
    this.streams = streams;
    this.bodies = bodies;
    this.feed =
        new EventStream.Feed<>(
            quantizer, QuantizerGrpc.getFineTuneMethod(), false, FineTuningApi::format);
  }

  void mount(Router router) {
    router
        .post("/v1/fine-tune")
        .handler(bodies::collect)
        .handler(
            bodies.body(
                (ctx, request) -> streams.open(feed, ctx, request),
                FineTuneRequest::newBuilder,
                FineTuneRequest.Builder::build));
  }

  private static String format(FineTuneResponse message) {
    return switch (message.getPartCase()) {
      case PROGRESS -> Sse.event("progress", message.getProgress());
      case RESULT -> Sse.event("result", message.getResult());
      case PART_NOT_SET -> Sse.UNKNOWN;
    };
  }
}
