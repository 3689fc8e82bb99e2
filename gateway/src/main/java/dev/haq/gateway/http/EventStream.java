package dev.haq.gateway.http;

import dev.haq.gateway.backend.Backend;
import dev.haq.gateway.backend.PacedCall;
import dev.haq.model.HaqException;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A service's stream of messages as server-sent events (WHATWG HTML, 9.2). The next message is
 * fetched from the service only when the reader has room for it.
 *
 * <p>All state is touched on the request's event loop alone.
 */
final class EventStream<Q, R> {
  /**
   * What is streamed.
   *
   * @param resumable whether a reader whose stream ends early comes back for the rest, as an
   *     EventSource does; else it is told why by an event {@code error} that holds the problem
   * @param format an event's text, with the empty line at its end
   */
  record Feed<Q, R>(
      Backend backend,
      MethodDescriptor<Q, R> method,
      boolean resumable,
      Function<R, String> format) {}

  private static final Logger LOG = LoggerFactory.getLogger(EventStream.class);

  /** When a stream ends before its session does, the reader comes back after this long. */
  private static final String RETRY = "retry: 1000\n\n";

  private static final String HEARTBEAT = ": heartbeat\n\n";

  private final Feed<Q, R> feed;
  private final RoutingContext ctx;
  private final HttpServerResponse response;
  private final Context context = Vertx.currentContext();
  private final Runnable onEnd;
  private final ClientCall<Q, R> call;
  private final PacedCall<Q, R> pace;
  private final long heartbeat;

  private EventStream(Feed<Q, R> feed, RoutingContext ctx, long heartbeatMillis, Runnable onEnd) {
    this.feed = feed;
    this.ctx = ctx;
    this.response = ctx.response();
    this.onEnd = onEnd;
    // Waits for a restarting service: an EventSource takes an error status for the end of it all.
    CallOptions options =
        feed.resumable() ? CallOptions.DEFAULT.withWaitForReady() : CallOptions.DEFAULT;
    this.call = feed.backend().channel().newCall(feed.method(), options);
    this.pace = new PacedCall<>(call, response);
    this.heartbeat = ctx.vertx().setPeriodic(heartbeatMillis, id -> beat());
  }

  /**
   * To be called on the request's event loop.
   *
   * @param onEnd runs once, on the event loop, when the stream is over
   */
  static <Q, R> EventStream<Q, R> start(
      Feed<Q, R> feed, RoutingContext ctx, Q request, long heartbeatMillis, Runnable onEnd) {
    EventStream<Q, R> stream = new EventStream<>(feed, ctx, heartbeatMillis, onEnd);
    stream.response.closeHandler(v -> stream.leave());
    stream.call.start(stream.new Messages(), new Metadata());
    stream.call.request(1);
    stream.call.sendMessage(request);
    stream.call.halfClose();
    return stream;
  }

  /** Ends the stream so that its reader connects again; from any thread. */
  void stop() {
    context.runOnContext(
        v -> {
          if (close()) {
            call.cancel("the gateway stops", null);
            open();
            response.end();
          }
        });
  }

  private void leave() {
    if (close()) {
      call.cancel("the reader left", null);
    }
  }

  private void beat() {
    if (!pace.isOver()) {
      write(HEARTBEAT);
    }
  }

  private void event(String text) {
    if (!pace.isOver()) {
      write(text);
      pace.next();
    }
  }

  private void write(String text) {
    open();
    response.write(text);
  }

  /** Sends the head with the first event or heartbeat: until then an error can still be one. */
  private void open() {
    if (!response.headWritten()) {
      response
          .setChunked(true)
          .putHeader("Content-Type", "text/event-stream")
          .putHeader("Cache-Control", "no-store")
          // Tells nginx not to collect the stream before passing it on.
          .putHeader("X-Accel-Buffering", "no");
      if (feed.resumable()) {
        response.write(RETRY);
      }
    }
  }

  private void ended(Status status, Metadata trailers) {
    if (!close()) {
      return;
    }
    if (status.isOk()) {
      open();
      response.end();
    } else {
      fail(failure(status, trailers));
    }
  }

  private void fail(HaqException failure) {
    if (!response.headWritten()) {
      ctx.fail(failure);
      return;
    }
    LOG.info("an event stream ended early: {}", failure.getMessage());
    if (!feed.resumable()) {
      response.write(Sse.event("error", Problem.of(failure).json().encode()));
    }
    response.end();
  }

  private void brokenOff(HaqException failure) {
    if (close()) {
      call.cancel("a message cannot be passed on", failure);
      fail(failure);
    }
  }

  private HaqException failure(Status status, Metadata trailers) {
    return feed.backend().translate(status.asRuntimeException(trailers));
  }

  private boolean close() {
    if (!pace.end()) {
      return false;
    }
    ctx.vertx().cancelTimer(heartbeat);
    onEnd.run();
    return true;
  }

  /** Encodes messages on gRPC's threads and hands them to the event loop. */
  private final class Messages extends ClientCall.Listener<R> {
    @Override
    public void onMessage(R message) {
      try {
        String text = feed.format().apply(message);
        context.runOnContext(v -> event(text));
      } catch (HaqException e) { // longer than may be
        context.runOnContext(v -> brokenOff(e));
      }
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      context.runOnContext(v -> ended(status, trailers));
    }
  }
}
