package dev.haq.cli;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/**
 * What comes over a connection that is given up when nothing comes for long: one that is lost
 * silently, to a machine that went away, is never reported by itself. To be read by one thread.
 */
final class LiveInput extends InputStream {
  private final InputStream in;
  private final Duration silence;
  private final Executor later;
  private volatile boolean gone;

  /**
   * @param silence how long a read may wait
   */
  LiveInput(InputStream in, Duration silence) {
    this.in = in;
    this.silence = silence;
    this.later = CompletableFuture.delayedExecutor(silence.toMillis(), TimeUnit.MILLISECONDS);
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] bytes, int from, int length) throws IOException {
    CompletableFuture<Void> watch = CompletableFuture.runAsync(this::giveUp, later);
    int read;
    try {
      read = in.read(bytes, from, length);
    } catch (IOException e) {
      throw gone ? silent(e) : e;
    } finally {
      watch.cancel(false); // what has not begun by now never does
    }
    if (read < 0 && gone) {
      throw silent(null);
    }
    return read;
  }

  @Override
  public int available() throws IOException {
    return in.available();
  }

  /** Closing wakes the reader. */
  private void giveUp() {
    gone = true;
    try {
      in.close();
    } catch (IOException e) {
      // The reader is told anyway.
    }
  }

  private IOException silent(IOException cause) {
    return new IOException("nothing came for %s s".formatted(silence.toSeconds()), cause);
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
