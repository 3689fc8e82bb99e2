package dev.haq.gateway.http;

import com.google.protobuf.Message;
import io.vertx.core.Context;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.Supplier;

/** The shapes that handlers have: decode, call, encode. */
final class Endpoints {
  private Endpoints() {}

  /** The request is made of the path and the query. */
  static <Q, R> Handler<RoutingContext> query(
      UnaryCall<Q, R> call, Function<RoutingContext, Q> decode) {
    return ctx -> call.start(ctx, decode.apply(ctx));
  }

  /**
   * Collects a JSON body up to a size; goes before {@link #body}. Its type is not looked at: {@code
   * curl -d} says that it is a form, and as a form it would be decoded, which ends at one field of
   * 1 KiB.
   */
  static Handler<RoutingContext> collect(long maxBytes) {
    BodyHandler bytes = BodyHandler.create(false).setBodyLimit(maxBytes);
    return ctx -> {
      ctx.request().headers().remove(HttpHeaders.CONTENT_TYPE);
      bytes.handle(ctx);
    };
  }

  /**
   * The request is the body, as JSON; read on a worker thread, for a measured table is large.
   *
   * @param finish completes the message
   */
  static <B extends Message.Builder, Q, R> Handler<RoutingContext> body(
      UnaryCall<Q, R> call, Supplier<B> builder, Function<B, Q> finish) {
    return body(call::start, builder, finish);
  }

  /**
   * The same for another way to answer.
   *
   * @param answer called on the request's event loop
   */
  static <B extends Message.Builder, Q> Handler<RoutingContext> body(
      BiConsumer<RoutingContext, Q> answer, Supplier<B> builder, Function<B, Q> finish) {
    return ctx -> {
      Context context = Vertx.currentContext();
      ctx.vertx()
          .executeBlocking(
              () ->
                  finish.apply(
                      ProtoJson.parse(ctx.body().buffer(), "the request body", builder.get())),
              false)
          .onComplete(
              request -> context.runOnContext(v -> answerUnlessLeft(ctx, answer, request)),
              failure -> context.runOnContext(v -> ctx.fail(failure)));
    };
  }

  /** Who has left meanwhile is told nothing, and would not be noticed leaving. */
  private static <Q> void answerUnlessLeft(
      RoutingContext ctx, BiConsumer<RoutingContext, Q> answer, Q request) {
    if (!ctx.response().closed()) {
      answer.accept(ctx, request);
    }
  }
}
