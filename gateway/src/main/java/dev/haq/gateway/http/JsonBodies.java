package dev.haq.gateway.http;

import com.google.protobuf.Message;
import dev.haq.gateway.GatewaySettings;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Requests whose body is JSON. While it is parsed, JSON takes up to 58 times its size in memory, so
 * large bodies are parsed one at a time, and there is an end to how many bytes of them are held.
 */
final class JsonBodies {
  /** The largest body, in bytes, of which any number may be parsed at a time. */
  static final long SMALL_BYTES = 64 << 10;

  /** How many of the largest bodies may be held at a time, or more that are smaller. */
  static final int MOST_HELD = 8;

  private static final String HOLD = JsonBodies.class.getName();

  private final long maxBytes;
  private final Duration silence;
  private final BodyHandler bytes;
  private final WorkerExecutor largeOnes;

  /** Bytes of large bodies that are being received, or whose requests are not answered yet. */
  private final AtomicLong held = new AtomicLong();

  JsonBodies(Vertx vertx, GatewaySettings settings) {
    this.maxBytes = settings.limits().jsonBytes();
    this.silence = settings.deadlines().body();
    this.bytes = BodyHandler.create(false).setBodyLimit(maxBytes);
    this.largeOnes = vertx.createSharedWorkerExecutor("haq-gateway-json", 1);
  }

  /** {@link #collect} and {@link #body} of one path. */
  <B extends Message.Builder, Q, R> void post(
      Router router,
      String path,
      UnaryCall<Q, R> call,
      Supplier<B> builder,
      Function<B, Q> finish) {
    post(router, path, call::start, builder, finish);
  }

  /** The same for another way to answer. */
  <B extends Message.Builder, Q> void post(
      Router router,
      String path,
      BiConsumer<RoutingContext, Q> answer,
      Supplier<B> builder,
      Function<B, Q> finish) {
    router.post(path).handler(this::collect).handler(body(answer, builder, finish));
  }

  /**
   * Collects a body; goes before {@link #body}. Its type is not looked at: {@code curl -d} says
   * that it is a form, and as a form it would be decoded, which ends at one field of 1 KiB.
   */
  void collect(RoutingContext ctx) {
    long length = length(ctx);
    if (length > SMALL_BYTES && length <= maxBytes) {
      hold(ctx, length);
    }
    ctx.request().headers().remove(HttpHeaders.CONTENT_TYPE);
    Bodies.watch(ctx, silence, () -> false, ctx::fail);
    bytes.handle(ctx);
  }

  /** What is declared; where nothing is, the most that may come. */
  private long length(RoutingContext ctx) {
    String length = ctx.request().getHeader(HttpHeaders.CONTENT_LENGTH);
    if (length != null) {
      return Long.parseLong(length);
    }
    return ctx.request().getHeader(HttpHeaders.TRANSFER_ENCODING) == null ? 0 : maxBytes;
  }

  private void hold(RoutingContext ctx, long length) {
    if (held.addAndGet(length) > MOST_HELD * maxBytes) {
      held.addAndGet(-length);
      throw new HaqException(
          Reason.BUSY, "this gateway holds as many large requests as it can: try again");
    }
    Hold hold = new Hold(length);
    ctx.put(HOLD, hold);
    ctx.addEndHandler(done -> hold.reduceTo(0));
  }

  /** What a request's body takes of the room; to be used on the request's event loop. */
  private final class Hold {
    private long bytes;

    Hold(long bytes) {
      this.bytes = bytes;
    }

    void reduceTo(long fewer) {
      held.addAndGet(fewer - bytes);
      bytes = fewer;
    }
  }

  /** Once a body has come its size is known, be it declared or not. */
  private static void settle(RoutingContext ctx) {
    Hold hold = ctx.get(HOLD);
    if (hold != null) {
      hold.reduceTo(ctx.body().length() > SMALL_BYTES ? ctx.body().length() : 0);
    }
  }

  /**
   * The request is the body, as JSON; read on a worker thread.
   *
   * @param finish completes the message
   */
  <B extends Message.Builder, Q, R> Handler<RoutingContext> body(
      UnaryCall<Q, R> call, Supplier<B> builder, Function<B, Q> finish) {
    return body(call::start, builder, finish);
  }

  /**
   * The same for another way to answer.
   *
   * @param answer called on the request's event loop
   */
  <B extends Message.Builder, Q> Handler<RoutingContext> body(
      BiConsumer<RoutingContext, Q> answer, Supplier<B> builder, Function<B, Q> finish) {
    return ctx -> {
      settle(ctx);
      Context context = Vertx.currentContext();
      Callable<Q> parse =
          () ->
              finish.apply(ProtoJson.parse(ctx.body().buffer(), "the request body", builder.get()));
      Future<Q> parsed =
          ctx.body().length() > SMALL_BYTES
              ? largeOnes.executeBlocking(parse, false)
              : ctx.vertx().executeBlocking(parse, false);
      parsed.onComplete(
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
