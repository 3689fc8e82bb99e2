package dev.haq.gateway.http;

import dev.haq.gateway.GatewaySettings;
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
  private final GatewaySettings settings;
  private final EventStreams streams;
  private final EventStream.Feed<MeasureSensitivityRequest, MeasureSensitivityResponse> feed;

  SensitivityApi(GatewaySettings settings, Backend quantizer, EventStreams streams) {
    this.settings = settings;
    this.streams = streams;
    this.feed =
        new EventStream.Feed<>(
            quantizer, QuantizerGrpc.getMeasureSensitivityMethod(), false, SensitivityApi::format);
  }

  void mount(Router router) {
    router
        .post("/v1/sensitivity")
        .handler(Endpoints.collect(settings.limits().jsonBytes()))
        .handler(
            Endpoints.body(
                (ctx, request) -> streams.open(feed, ctx, request),
                MeasureSensitivityRequest::newBuilder,
                MeasureSensitivityRequest.Builder::build));
  }

  private static String format(MeasureSensitivityResponse message) {
    return switch (message.getPartCase()) {
      case START -> "event: start\ndata: " + ProtoJson.print(message.getStart()) + "\n\n";
      case ENTRY -> "event: entry\ndata: " + ProtoJson.print(message.getEntry()) + "\n\n";
      // A kind that a newer quantizer knows and this gateway does not.
      case PART_NOT_SET -> ": event of an unknown kind\n\n";
    };
  }
}
