package dev.haq.quantizer.grpc;

import com.google.protobuf.ByteString;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.rpc.MessageSource;
import dev.haq.rpc.ResponseStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;

/** Files on their way out, chunk by chunk: a few at once, whose readers read. */
final class SentFiles {
  /** Each holds an open file, and about a megabyte of it on its way. */
  static final int MOST_AT_ONCE = 64;

  private static final int CHUNK_BYTES = 64 * 1024;

  /** A reader that takes nothing for so long has gone, or should come again. */
  private static final Duration PATIENCE = Duration.ofMinutes(1);

  private final Semaphore free = new Semaphore(MOST_AT_ONCE);

  /**
   * Takes a place for one more, to be closed whatever happens.
   *
   * @throws HaqException BUSY when too many are sent already
   */
  Place enter() {
    if (!free.tryAcquire()) {
      throw new HaqException(
          Reason.BUSY,
          "%d files are sent already: try again later, or use another replica"
              .formatted(MOST_AT_ONCE));
    }
    return new Place();
  }

  /** The right to send a file; given back when that is done. */
  final class Place implements AutoCloseable {
    private final AtomicBoolean left = new AtomicBoolean();
    private boolean sending;

    /**
     * Sends a file and ends the stream; returns at once.
     *
     * @param message of a chunk
     */
    <R> void send(InputStream file, Function<ByteString, R> message, ResponseStream<R> out) {
      sending = true;
      out.sendAll(new Chunks<>(file, message, this), PATIENCE);
    }

    @Override
    public void close() {
      if (!sending) {
        leave();
      }
    }

    private void leave() {
      if (left.compareAndSet(false, true)) {
        free.release();
      }
    }
  }

  private record Chunks<R>(InputStream file, Function<ByteString, R> message, Place place)
      implements MessageSource<R> {
    @Override
    public Optional<R> next() {
      try {
        ByteString chunk = ByteString.copyFrom(file.readNBytes(CHUNK_BYTES));
        return chunk.isEmpty() ? Optional.empty() : Optional.of(message.apply(chunk));
      } catch (IOException e) {
        throw failed(e);
      }
    }

    @Override
    public void close() {
      try (file) {
        place.leave();
      } catch (IOException e) {
        throw failed(e);
      }
    }

    private static HaqException failed(IOException e) {
      return new HaqException(Reason.INTERNAL, "a file cannot be read: " + e.getMessage(), e);
    }
  }
}
