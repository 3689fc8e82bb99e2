package dev.haq.gateway.http;

import dev.haq.proto.agent.v1.SearchAgentGrpc;
import dev.haq.proto.agent.v1.SessionEvent;
import dev.haq.proto.agent.v1.WatchSessionRequest;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One session's events as server-sent events (WHATWG HTML, 9.2): {@code snapshot}, {@code episode}
 * with the episode's number as id, {@code state}. The next event is fetched from the agent only
 * when the reader has room for it.
 *
 * <p>All state is touched on the request's event loop alone.
 */
final class EventStream {
  private static final Logger LOG = LoggerFactory.getLogger(EventStream.class);

  /** When a stream ends before its session does, the reader comes back after this long. */
  private static final String RETRY = "retry: 1000\n\n";

  private static final String HEARTBEAT = ": heartbeat\n\n";

  private final Backend agent;
  private final RoutingContext ctx;
  private final HttpServerResponse response;
  private final Context context = Vertx.currentContext();
  private final Runnable onEnd;
  private final ClientCall<WatchSessionRequest, SessionEvent> call;
  private final long heartbeat;
  private boolean over;
  private boolean waiting;

  private EventStream(Backend agent, RoutingContext ctx, long heartbeatMillis, Runnable onEnd) {
    this.agent = agent;
    this.ctx = ctx;
    this.response = ctx.response();
    this.onEnd = onEnd;
    // Waits for a restarting agent: an EventSource takes an error status for the end of it all.
    this.call =
        agent
            .channel()
            .newCall(
                SearchAgentGrpc.getWatchSessionMethod(), CallOptions.DEFAULT.withWaitForReady());
    this.heartbeat = ctx.vertx().setPeriodic(heartbeatMillis, id -> beat());
  }

  /**
   * To be called on the request's event loop.
   *
   * @param onEnd runs once, on the event loop, when the stream is over
   */
  static EventStream start(
      Backend agent,
      RoutingContext ctx,
      WatchSessionRequest request,
      long heartbeatMillis,
      Runnable onEnd) {
    EventStream stream = new EventStream(agent, ctx, heartbeatMillis, onEnd);
    stream.response.closeHandler(v -> stream.leave());
    stream.response.drainHandler(v -> stream.drained());
    stream.call.start(stream.new Events(), new Metadata());
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
    if (!over) {
      write(HEARTBEAT);
    }
  }

  private void event(String text) {
    if (over) {
      return;
    }
    write(text);
    if (response.writeQueueFull()) {
      waiting = true;
    } else {
      call.request(1);
    }
  }

  private void drained() {
    if (waiting) {
      waiting = false;
      call.request(1);
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
      response.write(RETRY);
    }
  }

  private void ended(Status status, Metadata trailers) {
    if (!close()) {
      return;
    }
    if (status.isOk()) {
      open();
      response.end();
    } else if (response.headWritten()) {
      LOG.info("an event stream ended early: {}", status.getCode());
      response.end();
    } else {
      ctx.fail(agent.translate(status.asRuntimeException(trailers)));
    }
  }

  private boolean close() {
    if (over) {
      return false;
    }
    over = true;
    ctx.vertx().cancelTimer(heartbeat);
    onEnd.run();
    return true;
  }

  private static String format(SessionEvent event) {
    return switch (event.getEventCase()) {
      case SNAPSHOT -> "event: snapshot\ndata: " + ProtoJson.print(event.getSnapshot()) + "\n\n";
      case EPISODE ->
          "event: episode\nid: "
              + event.getEpisode().getNumber()
              + "\ndata: "
              + ProtoJson.print(event.getEpisode())
              + "\n\n";
      case STATE -> "event: state\ndata: " + ProtoJson.print(event.getState()) + "\n\n";
      // An event kind that a newer agent knows and this gateway does not.
      case EVENT_NOT_SET -> ": event of an unknown kind\n\n";
    };
  }

  /** Encodes events on gRPC's threads and hands them to the event loop. */
  private final class Events extends ClientCall.Listener<SessionEvent> {
    @Override
    public void onMessage(SessionEvent message) {
      String text = format(message);
      context.runOnContext(v -> event(text));
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      context.runOnContext(v -> ended(status, trailers));
    }
  }
}
