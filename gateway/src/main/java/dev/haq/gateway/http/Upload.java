package dev.haq.gateway.http;

import com.google.protobuf.ByteString;
import dev.haq.gateway.backend.Backend;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * A request body passed on as a stream of messages: one header, then chunks. Holds at most about
 * two chunks in memory once the service has taken the call: reading stops while the service is
 * behind, and what was sent is not kept for another attempt. A caller that leaves cancels the call,
 * and the service keeps nothing.
 *
 * <p>All state is touched on the request's event loop alone.
 */
final class Upload<Q, R> {
  /**
   * What is uploaded, and where to.
   *
   * @param silence how long the body may fail to come
   * @param chunk wraps bytes into a message
   * @param maxBytes a larger body is refused
   * @param limit the environment variable that sets {@code maxBytes}
   * @param chunkBytes size of the messages
   */
  record Plan<Q, R>(
      Backend backend,
      MethodDescriptor<Q, R> method,
      Duration deadline,
      Duration silence,
      Function<ByteString, Q> chunk,
      long maxBytes,
      String limit,
      int chunkBytes,
      Function<R, Reply> encode) {}

  private final Plan<Q, R> plan;
  private final RoutingContext ctx;
  private final HttpServerRequest request;
  private final Context context = Vertx.currentContext();
  private final ClientCall<Q, R> call;
  private Buffer pending = Buffer.buffer();
  private long received;
  private boolean held;
  private boolean over;

  private Upload(Plan<Q, R> plan, RoutingContext ctx) {
    this.plan = plan;
    this.ctx = ctx;
    this.request = ctx.request();
    this.call =
        plan.backend()
            .channel()
            .newCall(
                plan.method(),
                CallOptions.DEFAULT.withDeadlineAfter(
                    plan.deadline().toMillis(), TimeUnit.MILLISECONDS));
  }

  /** To be called on the request's event loop before anything of the body was read. */
  static <Q, R> void start(Plan<Q, R> plan, RoutingContext ctx, Q header) {
    HttpServerRequest request = ctx.request();
    String type = request.getHeader("Content-Type");
    if (type != null && type.startsWith("multipart/")) {
      throw new Problem.HttpException(
          415,
          "UNSUPPORTED_MEDIA_TYPE",
          "send the file's bytes as the whole body, not as a form: curl --data-binary @FILE");
    }
    if (declaredLength(request) > plan.maxBytes()) {
      throw tooLarge(plan);
    }
    if ("100-continue".equalsIgnoreCase(request.getHeader("Expect"))) {
      ctx.response().writeContinue();
    }
    new Upload<>(plan, ctx).run(header);
  }

  private void run(Q header) {
    hold();
    request.handler(this::take);
    request.endHandler(v -> finish());
    request.exceptionHandler(e -> leave());
    ctx.response().closeHandler(v -> leave());
    call.start(new Answers(), new Metadata());
    call.request(1);
    call.sendMessage(header);
    if (call.isReady()) {
      goOn();
    }
    Bodies.watch(ctx, plan.silence(), () -> held, this::fail);
  }

  private void hold() {
    held = true;
    request.pause();
  }

  private void goOn() {
    held = false;
    request.resume();
  }

  private void take(Buffer bytes) {
    received += bytes.length();
    if (over) {
      return;
    }
    if (received > plan.maxBytes()) {
      fail(tooLarge(plan));
      return;
    }
    pending.appendBuffer(bytes);
    if (pending.length() >= plan.chunkBytes()) {
      flush();
      if (!call.isReady()) {
        hold();
      }
    }
  }

  private void flush() {
    byte[] bytes = pending.getBytes();
    pending = Buffer.buffer();
    for (int from = 0; from < bytes.length; from += plan.chunkBytes()) {
      int length = Math.min(plan.chunkBytes(), bytes.length - from);
      call.sendMessage(plan.chunk().apply(ByteString.copyFrom(bytes, from, length)));
    }
  }

  private void finish() {
    if (!over) {
      flush();
      call.halfClose();
    }
  }

  private void leave() {
    if (!over) {
      over = true;
      pending = Buffer.buffer();
      call.cancel("the upload was broken off", null);
    }
  }

  private void answer(Reply reply) {
    if (!over) {
      over = true;
      reply.send(ctx);
    }
  }

  private void fail(Throwable failure) {
    if (over) {
      return;
    }
    leave();
    ctx.fail(failure);
  }

  private static long declaredLength(HttpServerRequest request) {
    String length = request.getHeader("Content-Length");
    return length == null ? 0 : Long.parseLong(length);
  }

  private static HaqException tooLarge(Plan<?, ?> plan) {
    return new HaqException(
        Reason.TOO_LARGE,
        "the upload is larger than the %d bytes that this gateway takes: send less, or have %s raised where it runs"
            .formatted(plan.maxBytes(), plan.limit()));
  }

  /** Carries the service's answer back to the event loop. */
  private final class Answers extends ClientCall.Listener<R> {
    @Override
    public void onReady() {
      context.runOnContext(
          v -> {
            if (!over) {
              goOn();
            }
          });
    }

    @Override
    public void onMessage(R answer) {
      Reply reply = plan.encode().apply(answer);
      context.runOnContext(v -> answer(reply));
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      if (!status.isOk()) {
        context.runOnContext(
            v -> fail(plan.backend().translate(status.asRuntimeException(trailers))));
      }
    }
  }
}
