package dev.haq.quantizer.grpc;

import com.google.protobuf.ByteString;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.quantizer.v1.DownloadModelResponse;
import dev.haq.quantizer.onnx.ModelStore;
import dev.haq.rpc.ResponseStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** A stored model's file on its way out, chunk by chunk, as fast as the receiver takes them. */
final class ModelDownload {
  private static final int CHUNK_BYTES = 1 << 17;
  private static final long CANCEL_CHECK_MILLIS = 50;

  private final ModelStore models;
  private final String id;
  private final ResponseStream<DownloadModelResponse> out;
  private final Semaphore drained = new Semaphore(0);

  ModelDownload(ModelStore models, String id, ResponseStream<DownloadModelResponse> out) {
    this.models = models;
    this.id = id;
    this.out = out;
  }

  /** Blocks until all is sent, or nobody listens any more. */
  void send() {
    long size = models.describe(id).sizeBytes();
    out.onDrain(drained::release);
    try (InputStream file = models.open(id)) {
      for (ByteString chunk = next(file); !chunk.isEmpty(); chunk = next(file)) {
        out.send(DownloadModelResponse.newBuilder().setSizeBytes(size).setChunk(chunk).build());
        while (out.isFull() && !out.isCancelled()) {
          drained.tryAcquire(CANCEL_CHECK_MILLIS, TimeUnit.MILLISECONDS);
        }
        if (out.isCancelled()) {
          return;
        }
      }
      out.end();
    } catch (IOException e) {
      throw new HaqException(
          Reason.INTERNAL, "the model " + id + " cannot be read: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new HaqException(Reason.UNAVAILABLE, "the service is stopping: call again", e);
    }
  }

  private static ByteString next(InputStream file) throws IOException {
    return ByteString.copyFrom(file.readNBytes(CHUNK_BYTES));
  }
}
