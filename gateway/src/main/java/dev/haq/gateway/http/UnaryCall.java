package dev.haq.gateway.http;

import dev.haq.gateway.backend.Backend;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.MethodDescriptor;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * One request, one answer, without holding an event loop: the answer is decoded and, where it is a
 * {@link Reply}, turned into JSON on gRPC's threads. A caller that leaves cancels the call.
 *
 * @param encode makes the answer of the service's; what it throws becomes a problem
 */
record UnaryCall<Q, R>(
    Backend backend,
    MethodDescriptor<Q, R> method,
    Duration deadline,
    Function<R, ? extends Answer> encode) {

  /** To be called on the request's event loop. */
  void start(RoutingContext ctx, Q request) {
    Context context = Vertx.currentContext();
    ClientCall<Q, R> call =
        backend
            .channel()
            .newCall(
                method,
                CallOptions.DEFAULT.withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS));
    ctx.response().closeHandler(v -> call.cancel("the HTTP client left", null));
    ClientCalls.asyncUnaryCall(
        call,
        request,
        new StreamObserver<R>() {
          @Override
          public void onNext(R answer) {
            try {
              Answer encoded = encode.apply(answer);
              context.runOnContext(v -> encoded.send(ctx));
            } catch (RuntimeException e) {
              context.runOnContext(v -> ctx.fail(e));
            }
          }

          @Override
          public void onError(Throwable failure) {
            context.runOnContext(v -> ctx.fail(backend.translate(failure)));
          }

          @Override
          public void onCompleted() {
            // The single answer was sent by onNext.
          }
        });
  }
}
