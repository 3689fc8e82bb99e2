package dev.haq.gateway.grpc;

import dev.haq.gateway.backend.Backend;
import dev.haq.gateway.backend.PacedCall;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.rpc.RpcErrors;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.grpc.common.GrpcStatus;
import io.vertx.grpc.common.MessageSizeOverflowException;
import io.vertx.grpc.server.GrpcServerRequest;
import io.vertx.grpc.server.GrpcServerResponse;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * One call passed on to a service, message by message in both directions, each side held back while
 * the other is behind. Works for every kind of call.
 *
 * <p>All state is touched on the call's event loop alone.
 */
final class Forwarding {
  /**
   * Where a method's calls go.
   *
   * @param deadline of calls that bring none; streams of answers have none
   */
  record Route(Backend backend, MethodDescriptor<byte[], byte[]> method, Duration deadline) {}

  private final Backend backend;
  private final GrpcServerRequest<Buffer, Buffer> request;
  private final GrpcServerResponse<Buffer, Buffer> response;
  private final Context context = Vertx.currentContext();
  private final ClientCall<byte[], byte[]> call;
  private final PacedCall<byte[], byte[]> pace;
  private final boolean single;
  private final MessageRoom room;

  /** Bytes of the caller's that the service has not taken yet, or not answered yet. */
  private long held;

  private Forwarding(Route route, MessageRoom room, GrpcServerRequest<Buffer, Buffer> request) {
    this.room = room;
    this.backend = route.backend();
    this.request = request;
    this.response = request.response();
    this.single = route.method().getType().clientSendsOneMessage();
    this.call = backend.channel().newCall(route.method(), options(route, request.timeout()));
    this.pace = new PacedCall<>(call, response);
  }

  /** To be called on the event loop that took the call. */
  static void start(Route route, MessageRoom room, GrpcServerRequest<Buffer, Buffer> request) {
    new Forwarding(route, room, request).run();
  }

  private static CallOptions options(Route route, long timeoutMillis) {
    if (timeoutMillis > 0) {
      return CallOptions.DEFAULT.withDeadlineAfter(timeoutMillis, TimeUnit.MILLISECONDS);
    }
    return route.method().getType().serverSendsOneMessage()
        ? CallOptions.DEFAULT.withDeadlineAfter(route.deadline().toMillis(), TimeUnit.MILLISECONDS)
        : CallOptions.DEFAULT;
  }

  private void run() {
    request.pause();
    request.handler(
        message -> {
          if (!pace.isOver()) {
            take(message);
          }
        });
    request.endHandler(
        v -> {
          if (!pace.isOver()) {
            call.halfClose();
          }
        });
    request.invalidMessageHandler(
        e -> {
          if (e instanceof MessageSizeOverflowException) {
            refuse(Reason.TOO_LARGE, "a message is larger than this gateway takes: send less");
          } else {
            refuse(Reason.INVALID_ARGUMENT, "a message cannot be read");
          }
        });
    request.exceptionHandler(e -> leave());
    request.errorHandler(e -> leave());
    response.exceptionHandler(e -> leave());
    call.start(new Answers(), new Metadata());
    call.request(1);
    // gRPC may not tell when a call with a single request is ready; it takes that one at any time.
    if (single || call.isReady()) {
      request.resume();
    }
  }

  private void take(Buffer message) {
    if (!room.take(message.length())) {
      refuse(Reason.BUSY, "this gateway holds as many large messages as it can: try again");
      return;
    }
    held += message.length();
    call.sendMessage(message.getBytes());
    if (!single) {
      if (call.isReady()) {
        giveBack();
      } else {
        request.pause();
      }
    }
  }

  private void refuse(Reason reason, String message) {
    if (!pace.isOver()) {
      pace.giveUp("the caller is refused");
      giveBack();
      RpcErrors.send(new HaqException(reason, message), response);
    }
  }

  private void giveBack() {
    room.giveBack(held);
    held = 0;
  }

  private void leave() {
    pace.giveUp("the caller left");
    giveBack();
  }

  private void send(byte[] message) {
    if (!pace.isOver()) {
      response.write(Buffer.buffer(message));
      pace.next();
    }
  }

  private void end(Status status, Metadata trailers) {
    if (!pace.end()) {
      return;
    }
    giveBack();
    // What the caller still sends is dropped.
    request.resume();
    if (!status.isOk()) {
      fail(status.asRuntimeException(trailers));
    }
    response.end();
  }

  private void fail(StatusRuntimeException failure) {
    Optional<byte[]> details = RpcErrors.details(failure);
    if (details.isPresent()) {
      RpcErrors.setDetails(response, details.get());
      response
          .status(GrpcStatus.valueOf(failure.getStatus().getCode().value()))
          .statusMessage(String.valueOf(failure.getStatus().getDescription()));
    } else {
      HaqException typed = backend.translate(failure);
      response.status(RpcErrors.status(typed.reason())).statusMessage(typed.getMessage());
    }
  }

  /** Carries the service's messages to the event loop. */
  private final class Answers extends ClientCall.Listener<byte[]> {
    @Override
    public void onReady() {
      context.runOnContext(
          v -> {
            if (!single) {
              giveBack();
            }
            request.resume();
          });
    }

    @Override
    public void onMessage(byte[] message) {
      context.runOnContext(v -> send(message));
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      context.runOnContext(v -> end(status, trailers));
    }
  }
}
