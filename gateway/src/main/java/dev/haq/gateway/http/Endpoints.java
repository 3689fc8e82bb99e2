package dev.haq.gateway.http;

import io.vertx.core.Handler;
import io.vertx.ext.web.RoutingContext;
import java.util.function.Function;

/**
 * The shape of handlers without a body: decode, call, encode. {@link JsonBodies} has the others.
 */
final class Endpoints {
  private Endpoints() {}

  /** The request is made of the path and the query. */
  static <Q, R> Handler<RoutingContext> query(
      UnaryCall<Q, R> call, Function<RoutingContext, Q> decode) {
    return ctx -> call.start(ctx, decode.apply(ctx));
  }
}
