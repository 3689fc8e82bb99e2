package dev.haq.gateway.http;

import com.google.protobuf.ByteString;
import dev.haq.gateway.backend.Backend;
import dev.haq.gateway.backend.PacedCall;
import dev.haq.proto.quantizer.v1.DownloadModelRequest;
import dev.haq.proto.quantizer.v1.DownloadModelResponse;
import dev.haq.proto.quantizer.v1.ExportRequest;
import dev.haq.proto.quantizer.v1.ExportResponse;
import dev.haq.proto.quantizer.v1.QuantizerGrpc;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file as it comes from the quantizer, chunk by chunk: the next chunk is fetched only when the
 * reader has room for it. A reader that leaves cancels the call; a file that breaks off breaks off
 * the connection, so that it is never taken for a whole one.
 *
 * <p>All state is touched on the request's event loop alone.
 */
final class Download<Q, R> {
  /** The header that holds an export's {@code ExportResponse.Header} as JSON. */
  static final String DESCRIPTION = "Haq-Export";

  private static final Logger LOG = LoggerFactory.getLogger(Download.class);

  private final RoutingContext ctx;
  private final Source<Q, R> source;
  private final HttpServerResponse response;
  private final Context context = Vertx.currentContext();
  private final ClientCall<Q, R> call;
  private final PacedCall<Q, R> pace;

  /**
   * Where a file comes from.
   *
   * @param deadline for the file to be made, checked and sent
   * @param read what a message brings
   */
  private record Source<Q, R>(
      Backend quantizer, MethodDescriptor<Q, R> method, Duration deadline, Function<R, Part> read) {

    ClientCall<Q, R> open() {
      return quantizer
          .channel()
          .newCall(
              method,
              CallOptions.DEFAULT.withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS));
    }
  }

  /**
   * What a message brings.
   *
   * @param head counts where it comes before the first chunk
   * @param chunk empty when it brings none
   */
  private record Part(Optional<Head> head, ByteString chunk) {}

  /**
   * What is said of the file.
   *
   * @param description further, see {@link #DESCRIPTION}; empty for nothing
   */
  private record Head(String name, String mediaType, long sizeBytes, String description) {}

  private Download(RoutingContext ctx, Source<Q, R> source) {
    this.ctx = ctx;
    this.source = source;
    this.response = ctx.response();
    this.call = source.open();
    this.pace = new PacedCall<>(call, response);
  }

  /** A policy's file; to be called on the request's event loop. */
  static void export(
      Backend quantizer, RoutingContext ctx, Duration deadline, ExportRequest request) {
    new Download<>(
            ctx,
            new Source<>(quantizer, QuantizerGrpc.getExportMethod(), deadline, Download::exported))
        .start(request);
  }

  /** A model's file; to be called on the request's event loop. */
  static void model(Backend quantizer, RoutingContext ctx, Duration deadline, String id) {
    new Download<>(
            ctx,
            new Source<>(
                quantizer, QuantizerGrpc.getDownloadModelMethod(), deadline, Download::ofModel))
        .start(DownloadModelRequest.newBuilder().setId(id).build());
  }

  /** Empty for a part that a newer quantizer sends and this gateway does not know. */
  private static Part exported(ExportResponse message) {
    if (!message.hasHeader()) {
      return new Part(Optional.empty(), message.getChunk());
    }
    ExportResponse.Header header = message.getHeader();
    Head head =
        new Head(
            header.getFileName(),
            header.getMediaType(),
            header.getSizeBytes(),
            ascii(ProtoJson.print(header)));
    return new Part(Optional.of(head), ByteString.EMPTY);
  }

  private static Part ofModel(DownloadModelResponse message) {
    Head head = new Head("model.onnx", "application/octet-stream", message.getSizeBytes(), "");
    return new Part(Optional.of(head), message.getChunk());
  }

  private void start(Q request) {
    response.closeHandler(v -> pace.giveUp("the reader left"));
    call.start(new Parts(), new Metadata());
    call.request(1);
    call.sendMessage(request);
    call.halfClose();
  }

  private void take(Part part, Buffer chunk) {
    if (pace.isOver()) {
      return;
    }
    if (!response.headWritten()) {
      part.head().ifPresent(this::describe);
    }
    if (chunk.length() > 0) {
      response.write(chunk);
    }
    pace.next();
  }

  private void describe(Head head) {
    response
        .putHeader("Content-Type", head.mediaType())
        .putHeader("Content-Length", Long.toString(head.sizeBytes()))
        .putHeader("Content-Disposition", "attachment; filename=\"" + head.name() + "\"");
    if (!head.description().isEmpty()) {
      response.putHeader(DESCRIPTION, head.description());
    }
  }

  private void ended(Status status, Metadata trailers) {
    if (!pace.end()) {
      return;
    }
    if (status.isOk()) {
      response.end();
    } else if (response.headWritten()) {
      LOG.warn("a download broke off: {}", status);
      ctx.request().connection().close();
    } else {
      response.headers().clear();
      ctx.fail(source.quantizer().translate(status.asRuntimeException(trailers)));
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
  private final class Parts extends ClientCall.Listener<R> {
    @Override
    public void onMessage(R message) {
      Part part = source.read().apply(message);
      Buffer chunk = Buffer.buffer(part.chunk().toByteArray());
      context.runOnContext(v -> take(part, chunk));
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      context.runOnContext(v -> ended(status, trailers));
    }
  }
}
