package dev.haq.gateway.http;

import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * Request bodies as they come, whoever reads them: one that stops coming is given up, and the rest
 * of one that was refused is dropped. To be called on the request's event loop.
 */
final class Bodies {
  /** How long the rest of a refused body may fail to come before the connection is closed. */
  private static final long DRAIN_MILLIS = 10_000;

  private Bodies() {}

  /**
   * Watches a body until it has come, or its request is answered.
   *
   * @param silence how long nothing of it may come
   * @param held whether it is not being read now, so that it cannot come
   * @param refuse told why when it stops
   */
  static void watch(
      RoutingContext ctx, Duration silence, BooleanSupplier held, Consumer<Throwable> refuse) {
    if (isSent(ctx.request())) {
      Watch watch = new Watch(ctx, silence, held, refuse);
      watch.begin();
      ctx.request().end().onComplete(come -> watch.end());
      ctx.addEndHandler(answered -> watch.end());
    }
  }

  /** A timer that goes on as long as more of a body comes. */
  private record Watch(
      RoutingContext ctx,
      Duration silence,
      BooleanSupplier held,
      Consumer<Throwable> refuse,
      AtomicLong timer) {
    Watch(RoutingContext ctx, Duration silence, BooleanSupplier held, Consumer<Throwable> refuse) {
      this(ctx, silence, held, refuse, new AtomicLong());
    }

    void begin() {
      long before = ctx.request().bytesRead();
      timer.set(ctx.vertx().setTimer(silence.toMillis(), id -> check(before)));
    }

    private void check(long before) {
      if (ctx.request().bytesRead() != before || held.getAsBoolean()) {
        begin();
        return;
      }
      refuse.accept(
          new Problem.HttpException(
              408,
              "BODY_TIMEOUT",
              "nothing of the request's body came for %d s: send it again"
                  .formatted(silence.toSeconds())));
    }

    /** Lets go of the request, which the timer holds. */
    void end() {
      ctx.vertx().cancelTimer(timer.get());
    }
  }

  /**
   * Reads and drops what is left of a body once its request is answered, while it comes: closing
   * would reset the connection, and a caller that reads no answer before all is sent would not see
   * why.
   *
   * @param most bytes that are read after the answer
   */
  static void dropRest(RoutingContext ctx, long most) {
    HttpServerRequest request = ctx.request();
    if (isSent(request)) {
      ctx.addEndHandler(
          answered -> {
            if (answered.succeeded() && !request.isEnded()) {
              request.resume();
              drain(ctx, request.bytesRead(), request.bytesRead() + most);
            }
          });
    }
  }

  private static void drain(RoutingContext ctx, long before, long most) {
    HttpServerRequest request = ctx.request();
    ctx.vertx()
        .setTimer(
            DRAIN_MILLIS,
            id -> {
              if (request.isEnded()) {
                return;
              }
              long read = request.bytesRead();
              if (read == before || read > most) {
                request.connection().close();
              } else {
                drain(ctx, read, most);
              }
            });
  }

  /** Whether a request has a body at all. */
  private static boolean isSent(HttpServerRequest request) {
    return request.getHeader(HttpHeaders.TRANSFER_ENCODING) != null
        || (request.getHeader(HttpHeaders.CONTENT_LENGTH) != null
            && !request.getHeader(HttpHeaders.CONTENT_LENGTH).equals("0"));
  }
}
