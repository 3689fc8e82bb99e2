package dev.haq.gateway.http;

import dev.haq.gateway.backend.Backend;
import dev.haq.gateway.backend.Backends;
import dev.haq.proto.agent.v1.PredictFrontEvent;
import dev.haq.proto.agent.v1.PredictFrontRequest;
import dev.haq.proto.agent.v1.SearchAgentGrpc;
import dev.haq.proto.quantizer.v1.FineTuneRequest;
import dev.haq.proto.quantizer.v1.FineTuneResponse;
import dev.haq.proto.quantizer.v1.MeasureSensitivityRequest;
import dev.haq.proto.quantizer.v1.MeasureSensitivityResponse;
import dev.haq.proto.quantizer.v1.QuantizerGrpc;
import io.grpc.MethodDescriptor;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.util.function.BiConsumer;
import java.util.function.Function;

/**
 * Work that takes long and says how far it is, by server-sent events, with {@code error} where it
 * ends early. The quantizer keeps what was done until then: the same request goes on from there.
 *
 * <ul>
 *   <li>{@code POST /v1/sensitivity}, what each layer does to accuracy: {@code start}, {@code
 *       entry};
 *   <li>{@code POST /v1/fine-tune}: {@code progress} and, last, {@code result};
 *   <li>{@code POST /v1/front}, what bits would do at every cost: {@code preparation} and, last,
 *       {@code front}.
 * </ul>
 */
final class LongWorkApi {
  private final Backends backends;
  private final EventStreams streams;
  private final JsonBodies bodies;

  LongWorkApi(Backends backends, EventStreams streams, JsonBodies bodies) {
    this.backends = backends;
    this.streams = streams;
    this.bodies = bodies;
  }

  void mount(Router router) {
    bodies.post(
        router,
        "/v1/sensitivity",
        events(
            backends.quantizer(),
            QuantizerGrpc.getMeasureSensitivityMethod(),
            LongWorkApi::sensitivity),
        MeasureSensitivityRequest::newBuilder,
        MeasureSensitivityRequest.Builder::build);
    bodies.post(
        router,
        "/v1/fine-tune",
        events(backends.quantizer(), QuantizerGrpc.getFineTuneMethod(), LongWorkApi::fineTuning),
        FineTuneRequest::newBuilder,
        FineTuneRequest.Builder::build);
    bodies.post(
        router,
        "/v1/front",
        events(backends.agent(), SearchAgentGrpc.getPredictFrontMethod(), LongWorkApi::front),
        PredictFrontRequest::newBuilder,
        PredictFrontRequest.Builder::build);
  }

  private <Q, R> BiConsumer<RoutingContext, Q> events(
      Backend backend, MethodDescriptor<Q, R> method, Function<R, String> format) {
    EventStream.Feed<Q, R> feed = new EventStream.Feed<>(backend, method, false, format);
    return (ctx, request) -> streams.open(feed, ctx, request);
  }

  private static String sensitivity(MeasureSensitivityResponse message) {
    return switch (message.getPartCase()) {
      case START -> Sse.event("start", message.getStart());
      case ENTRY -> Sse.event("entry", message.getEntry());
      case PART_NOT_SET -> Sse.UNKNOWN;
    };
  }

  private static String fineTuning(FineTuneResponse message) {
    return switch (message.getPartCase()) {
      case PROGRESS -> Sse.event("progress", message.getProgress());
      case RESULT -> Sse.event("result", message.getResult());
      case PART_NOT_SET -> Sse.UNKNOWN;
    };
  }

  private static String front(PredictFrontEvent message) {
    return switch (message.getEventCase()) {
      case PREPARATION -> Sse.event("preparation", message.getPreparation());
      case FRONT -> Sse.event("front", message.getFront());
      case EVENT_NOT_SET -> Sse.UNKNOWN;
    };
  }
}
