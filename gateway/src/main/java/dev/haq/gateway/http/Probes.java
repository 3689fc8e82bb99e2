package dev.haq.gateway.http;

import dev.haq.gateway.backend.Backend;
import dev.haq.gateway.backend.Backends;
import io.grpc.CallOptions;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Whether the gateway takes requests, and whether the services behind it do. These are two
 * questions: a gateway answers for a service that is gone, so one must not be taken out of its
 * balancer because of it.
 */
final class Probes {
  private final Backends backends;
  private final Duration deadline;
  private volatile boolean stopping;

  Probes(Backends backends, Duration deadline) {
    this.backends = backends;
    this.deadline = deadline;
  }

  void stop() {
    stopping = true;
  }

  /** Whether this gateway takes requests: 503 once it is told to stop. */
  void ready(RoutingContext ctx) {
    ctx.response().setStatusCode(stopping ? 503 : 200).end(stopping ? "stopping\n" : "ready\n");
  }

  /** {@code {"services": {"agent": "SERVING", ...}}}. */
  void services(RoutingContext ctx) {
    Context context = Vertx.currentContext();
    List<Future<String>> states = backends.all().stream().map(this::state).toList();
    Future.all(states)
        .onComplete(
            all ->
                context.runOnContext(
                    v -> answer(ctx, states.stream().map(Future::result).toList())));
  }

  private void answer(RoutingContext ctx, List<String> states) {
    JsonObject services = new JsonObject();
    for (int i = 0; i < states.size(); i++) {
      services.put(backends.all().get(i).name(), states.get(i));
    }
    ctx.response()
        .putHeader("Content-Type", "application/json")
        .end(new JsonObject().put("services", services).encode());
  }

  /** Whether the service takes calls now, and this gateway passes them on. */
  Future<Boolean> serves(Backend backend) {
    return state(backend).map(state -> !stopping && isServing(state));
  }

  private static boolean isServing(String state) {
    return HealthCheckResponse.ServingStatus.SERVING.name().equals(state);
  }

  private Future<String> state(Backend backend) {
    Promise<String> state = Promise.promise();
    ClientCalls.asyncUnaryCall(
        backend
            .channel()
            .newCall(
                HealthGrpc.getCheckMethod(),
                CallOptions.DEFAULT.withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS)),
        HealthCheckRequest.getDefaultInstance(),
        new StreamObserver<>() {
          @Override
          public void onNext(HealthCheckResponse answer) {
            state.tryComplete(answer.getStatus().name());
          }

          @Override
          public void onError(Throwable failure) {
            state.tryComplete("UNREACHABLE");
          }

          @Override
          public void onCompleted() {
            state.tryComplete("UNREACHABLE");
          }
        });
    return state.future();
  }
}
