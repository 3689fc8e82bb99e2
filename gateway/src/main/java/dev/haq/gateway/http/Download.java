package dev.haq.gateway.http;

import dev.haq.proto.quantizer.v1.ExportRequest;
import dev.haq.proto.quantizer.v1.ExportResponse;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An exported file as it comes from the quantizer, chunk by chunk: the next chunk is fetched only
 * when the reader has room for it. The header {@code Haq-Export} holds the {@code
 * ExportResponse.Header} as JSON. A reader that leaves cancels the call; a file that breaks off
 * breaks off the connection, so that it is never taken for a whole one.
 *
 * <p>All state is touched on the request's event loop alone.
 */
final class Download {
  static final String DESCRIPTION = "Haq-Export";

  private static final Logger LOG = LoggerFactory.getLogger(Download.class);

  private final Backend quantizer;
  private final RoutingContext ctx;
  private final HttpServerResponse response;
  private final Context context = Vertx.currentContext();
  private final ClientCall<ExportRequest, ExportResponse> call;
  private boolean over;
  private boolean waiting;

  private Download(Backend quantizer, RoutingContext ctx, Duration deadline) {
    this.quantizer = quantizer;
    this.ctx = ctx;
    this.response = ctx.response();
    this.call =
        quantizer
            .channel()
            .newCall(
                QuantizerGrpc.getExportMethod(),
                CallOptions.DEFAULT.withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS));
  }

  /**
   * To be called on the request's event loop.
   *
   * @param deadline for the file to be written, checked and sent
   */
  static void start(
      Backend quantizer, RoutingContext ctx, Duration deadline, ExportRequest request) {
    Download download = new Download(quantizer, ctx, deadline);
    download.response.closeHandler(v -> download.leave());
    download.response.drainHandler(v -> download.drained());
    download.call.start(download.new Parts(), new Metadata());
    download.call.request(1);
    download.call.sendMessage(request);
    download.call.halfClose();
  }

  private void leave() {
    if (!over) {
      over = true;
      call.cancel("the reader left", null);
    }
  }

  private void head(ExportResponse.Header header) {
    if (over) {
      return;
    }
    response
        .putHeader("Content-Type", header.getMediaType())
        .putHeader("Content-Length", Long.toString(header.getSizeBytes()))
        .putHeader("Content-Disposition", "attachment; filename=\"" + header.getFileName() + "\"")
        .putHeader(DESCRIPTION, ascii(ProtoJson.print(header)));
    call.request(1);
  }

  private void chunk(Buffer bytes) {
    if (over) {
      return;
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
      LOG.warn("a download broke off: {}", status);
      ctx.request().connection().close();
    } else {
      response.headers().clear();
      ctx.fail(quantizer.translate(status.asRuntimeException(trailers)));
    }
  }

  /** JSON in characters that a header may hold. */
  private static String ascii(String json) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < json.length(); i++) {
      char c = json.charAt(i);
      text.append(c >= ' ' && c < 127 ? String.valueOf(c) : "\\u%04x".formatted((int) c));
    }
    return text.toString();
  }

  /** Hands what comes on gRPC's threads to the event loop. */
  private final class Parts extends ClientCall.Listener<ExportResponse> {
    @Override
    public void onMessage(ExportResponse message) {
      switch (message.getPartCase()) {
        case HEADER -> context.runOnContext(v -> head(message.getHeader()));
        case CHUNK -> {
          Buffer bytes = Buffer.buffer(message.getChunk().toByteArray());
          context.runOnContext(v -> chunk(bytes));
        }
        // A part that a newer quantizer sends and this gateway does not know.
        case PART_NOT_SET -> call.request(1);
      }
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      context.runOnContext(v -> ended(status, trailers));
    }
  }
}
