package dev.haq.quantizer.grpc;

import com.google.protobuf.ByteString;
import dev.haq.proto.quantizer.v1.ExportResponse;
import dev.haq.quantizer.export.ExportedFile;
import dev.haq.rpc.ResponseStream;
import dev.haq.wire.DataWire;

/** Sends a file: a header, then chunks, as fast as the receiver takes them. */
final class ExportStream {
  private static final int CHUNK_BYTES = 64 * 1024;

  private final ByteString content;
  private final ResponseStream<ExportResponse> out;
  private int sent;
  private boolean ended;

  private ExportStream(ByteString content, ResponseStream<ExportResponse> out) {
    this.content = content;
    this.out = out;
  }

  /** Returns at once; the rest is sent as the receiver catches up. */
  static void send(ExportedFile file, ResponseStream<ExportResponse> out) {
    out.send(ExportResponse.newBuilder().setHeader(header(file)).build());
    ExportStream stream = new ExportStream(file.content(), out);
    out.onDrain(stream::sendMore);
    stream.sendMore();
  }

  private static ExportResponse.Header header(ExportedFile file) {
    ExportResponse.Header.Builder header =
        ExportResponse.Header.newBuilder()
            .setFileName(file.name())
            .setMediaType(file.mediaType())
            .setSizeBytes(file.content().size())
            .addAllNotes(file.notes());
    file.fileAccuracy().ifPresent(a -> header.setFileAccuracy(DataWire.toProto(a)));
    file.evaluatedAccuracy().ifPresent(a -> header.setEvaluatedAccuracy(DataWire.toProto(a)));
    return header.build();
  }

  /** Called by the thread that began and by the event loop, at times at once. */
  private synchronized void sendMore() {
    while (!ended && !out.isFull()) {
      if (out.isCancelled()) {
        ended = true;
      } else if (sent < content.size()) {
        int to = Math.min(content.size(), sent + CHUNK_BYTES);
        out.send(ExportResponse.newBuilder().setChunk(content.substring(sent, to)).build());
        sent = to;
      } else {
        ended = true;
        out.end();
      }
    }
  }
}
