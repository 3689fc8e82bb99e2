package dev.haq.rpc;

import io.vertx.core.Context;
import io.vertx.grpc.common.GrpcStatus;
import io.vertx.grpc.server.GrpcServerResponse;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * The sending end of a server-streaming call. Safe for use by any thread; messages keep the order
 * in which one thread sends them.
 */
public final class ResponseStream<R> {
  /** Messages that may wait for the event loop before the stream counts as full. */
  private static final int MOST_UNWRITTEN = 64;

  private final Context context;
  private final GrpcServerResponse<?, R> response;
  private final Call call;
  private final Consumer<GrpcStatus> closed;
  private final Executor workers;
  private final AtomicInteger unwritten = new AtomicInteger();
  private volatile Runnable drained = () -> {};

  /** Whether the connection takes no more for now; written on the context, where it is asked. */
  private volatile boolean full;

  private boolean ended;

  /**
   * @param closed told, on the context, how the stream ended
   * @param workers make what is sent of a source
   */
  ResponseStream(
      Context context,
      GrpcServerResponse<?, R> response,
      Call call,
      Consumer<GrpcStatus> closed,
      Executor workers) {
    this.context = context;
    this.response = response;
    this.call = call;
    this.closed = closed;
    this.workers = workers;
    response.drainHandler(
        v -> {
          full = false;
          drained.run();
        });
  }

  /**
   * Queues a message; never blocks. Watch {@link #isFull} and wait for {@link #onDrain} before
   * sending many. What is sent after the end is dropped.
   */
  public void send(R message) {
    send(message, () -> {});
  }

  /**
   * The same.
   *
   * @param written run, on the event loop, once the receiver has taken so much that the message has
   *     left; never where the stream breaks before
   */
  void send(R message, Runnable written) {
    unwritten.incrementAndGet();
    context.runOnContext(
        v -> {
          if (open()) {
            response.write(message).onSuccess(done -> written.run());
            full = response.writeQueueFull();
          }
          if (unwritten.decrementAndGet() == 0 && !full) {
            drained.run();
          }
        });
  }

  /** Whether the receiver is behind; messages sent nevertheless are kept in memory. */
  public boolean isFull() {
    return unwritten.get() >= MOST_UNWRITTEN || full;
  }

  /** Replaces what is called, on the event loop, each time the receiver has caught up. */
  public void onDrain(Runnable listener) {
    drained = listener;
  }

  /**
   * Sends all that a source has and ends the stream: as fast as the receiver takes it, a few
   * messages at a time, so that it costs neither a thread nor much memory however slow that is.
   * Returns at once.
   *
   * @param patience how long the receiver may take nothing; then the stream is reset, which it sees
   *     as CANCELLED
   */
  public void sendAll(MessageSource<R> source, Duration patience) {
    new Delivery<>(source, this, workers, context.owner(), patience).start();
  }

  /** Runs {@code listener} once when the receiver has gone. */
  public void onCancel(Runnable listener) {
    call.onCancel(listener);
  }

  public boolean isCancelled() {
    return call.isCancelled();
  }

  /** Ends the stream with status OK, after what was sent. */
  public void end() {
    context.runOnContext(
        v -> {
          if (open()) {
            ended = true;
            closed.accept(GrpcStatus.OK);
            response.end();
          }
        });
  }

  /** Ends the stream with the status that {@code failure} maps to. */
  public void fail(Throwable failure) {
    context.runOnContext(
        v -> {
          if (open()) {
            ended = true;
            closed.accept(RpcErrors.status(RpcErrors.translate(failure).reason()));
            RpcErrors.send(failure, response);
          }
        });
  }

  /** Ends the stream without what was not taken yet. */
  void reset() {
    context.runOnContext(
        v -> {
          if (open()) {
            ended = true;
            closed.accept(GrpcStatus.CANCELLED);
            response.cancel();
          }
        });
  }

  private boolean open() {
    return !ended && !call.isCancelled();
  }
}
