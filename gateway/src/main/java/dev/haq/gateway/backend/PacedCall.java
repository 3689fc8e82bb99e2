package dev.haq.gateway.backend;

import io.grpc.ClientCall;
import io.vertx.core.streams.WriteStream;

/**
 * A call whose messages are passed on one by one: the next is fetched from the service only when
 * the reader has room for it. It ends once: with the service's answer, or when it is given up.
 *
 * <p>All state is touched on the reader's event loop alone.
 */
public final class PacedCall<Q, R> {
  private final ClientCall<Q, R> call;
  private final WriteStream<?> reader;
  private boolean over;
  private boolean waiting;

  /**
   * @param reader what its messages are written to
   */
  public PacedCall(ClientCall<Q, R> call, WriteStream<?> reader) {
    this.call = call;
    this.reader = reader;
    reader.drainHandler(v -> drained());
  }

  public boolean isOver() {
    return over;
  }

  /** Whether this ends it: what comes later is of no interest. */
  public boolean end() {
    boolean first = !over;
    over = true;
    return first;
  }

  /** Ends it, and tells the service so; nothing when it is over. */
  public void giveUp(String why) {
    if (end()) {
      call.cancel(why, null);
    }
  }

  /** Fetches the next message, now or when the reader has room; after one was written. */
  public void next() {
    if (reader.writeQueueFull()) {
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
}
