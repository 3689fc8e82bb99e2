package dev.haq.gateway.http;

import dev.haq.proto.quantizer.v1.DownloadModelRequest;
import dev.haq.proto.quantizer.v1.DownloadModelResponse;
import dev.haq.proto.quantizer.v1.QuantizerGrpc;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * A model's file as it comes from the quantizer, chunk by chunk: the next is fetched only when the
 * reader has room for it. A file that breaks off breaks off the connection, so that it is never
 * taken for a whole one.
 *
 * <p>All state is touched on the request's event loop alone.
 */
final class ModelDownload {
  private final Backend quantizer;
  private final RoutingContext ctx;
  private final HttpServerResponse response;
  private final Context context = Vertx.currentContext();
  private final ClientCall<DownloadModelRequest, DownloadModelResponse> call;
  private boolean over;
  private boolean waiting;

  private ModelDownload(Backend quantizer, RoutingContext ctx, Duration deadline) {
    this.quantizer = quantizer;
    this.ctx = ctx;
    this.response = ctx.response();
    this.call =
        quantizer
            .channel()
            .newCall(
                QuantizerGrpc.getDownloadModelMethod(),
                CallOptions.DEFAULT.withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS));
  }

  /** To be called on the request's event loop. */
  static void start(Backend quantizer, RoutingContext ctx, String model, Duration deadline) {
    ModelDownload download = new ModelDownload(quantizer, ctx, deadline);
    download.response.closeHandler(v -> download.leave());
    download.response.drainHandler(v -> download.drained());
    download.call.start(download.new Chunks(), new Metadata());
    download.call.request(1);
    download.call.sendMessage(DownloadModelRequest.newBuilder().setId(model).build());
    download.call.halfClose();
  }

  private void leave() {
    if (!over) {
      over = true;
      call.cancel("the reader left", null);
    }
  }

  private void chunk(long sizeBytes, Buffer bytes) {
    if (over) {
      return;
    }
    if (!response.headWritten()) {
      response
          .putHeader("Content-Type", "application/octet-stream")
          .putHeader("Content-Disposition", "attachment; filename=\"model.onnx\"")
          .putHeader("Content-Length", Long.toString(sizeBytes));
    }
    response.write(bytes);
    if (response.writeQueueFull()) {
      waiting = true;
    } else {
      call.request(1);
    }
  }

  private void drained() {
    if (waiting && !over) {
      waiting = false;
      call.request(1);
    }
  }

  private void ended(Status status, Metadata trailers) {
    if (over) {
      return;
    }
    over = true;
    if (status.isOk()) {
      response.end();
    } else if (response.headWritten()) {
      ctx.request().connection().close();
    } else {
      ctx.fail(quantizer.translate(status.asRuntimeException(trailers)));
    }
  }

  /** Hands what comes on gRPC's threads to the event loop. */
  private final class Chunks extends ClientCall.Listener<DownloadModelResponse> {
    @Override
    public void onMessage(DownloadModelResponse message) {
      Buffer bytes = Buffer.buffer(message.getChunk().toByteArray());
      context.runOnContext(v -> chunk(message.getSizeBytes(), bytes));
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      context.runOnContext(v -> ended(status, trailers));
    }
  }
}
