package dev.haq.gateway.http;

import dev.haq.proto.quantizer.v1.MeasureSensitivityRequest;
import dev.haq.proto.quantizer.v1.MeasureSensitivityResponse;
import dev.haq.proto.quantizer.v1.QuantizerGrpc;
import io.vertx.ext.web.Router;

/**
 * What each layer does to accuracy: {@code POST /v1/sensitivity} answers server-sent events {@code
 * start} and {@code entry}, and {@code error} where it ends early. What was measured until then is
 * kept by the quantizer: the same request goes on from there.
 */
final class SensitivityApi {
  private final EventStreams streams;
  private final JsonBodies bodies;
  private final EventStream.Feed<MeasureSensitivityRequest, MeasureSensitivityResponse> feed;

  SensitivityApi(Backend quantizer, EventStreams streams, JsonBodies bodies) {
    this.streams = streams;
    this.bodies = bodies;
    this.feed =
        new EventStream.Feed<>(
            quantizer, QuantizerGrpc.getMeasureSensitivityMethod(), false, SensitivityApi::format);
  }

  void mount(Router router) {
    router
        .post("/v1/sensitivity")
        .handler(bodies::collect)
        .handler(
            bodies.body(
                (ctx, request) -> streams.open(feed, ctx, request),
                MeasureSensitivityRequest::newBuilder,
                MeasureSensitivityRequest.Builder::build));
  }

  private static String format(MeasureSensitivityResponse message) {
    return switch (message.getPartCase()) {
      case START -> Sse.event("start", message.getStart());
      case ENTRY -> Sse.event("entry", message.getEntry());
      case PART_NOT_SET -> Sse.UNKNOWN;
    };
  }
}
