package dev.haq.quantizer.grpc;

import dev.haq.model.Reason;
import dev.haq.proto.quantizer.v1.EvaluateRequest;
import dev.haq.rpc.RpcErrors;
import io.grpc.StatusRuntimeException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** More evaluations than may wait, for as long as it is open: no two alike, so none is cached. */
final class Flood implements AutoCloseable {
  private static final int CALLERS = 44;
  private static final int PAUSE_MILLIS = 5;

  private final List<Thread> callers = new ArrayList<>();
  private final AtomicLong seed = new AtomicLong();
  private final AtomicInteger turnedAway = new AtomicInteger();
  private volatile boolean closed;

  /**
   * @param request asked for again and again, with another seed each time
   */
  Flood(RunningQuantizer quantizer, EvaluateRequest request) throws InterruptedException {
    for (int i = 0; i < CALLERS; i++) {
      Thread caller = new Thread(() -> call(quantizer, request));
      caller.start();
      callers.add(caller);
    }
    while (turnedAway.get() == 0) {
      Thread.sleep(PAUSE_MILLIS);
    }
  }

  private void call(RunningQuantizer quantizer, EvaluateRequest request) {
    while (!closed) {
      EvaluateRequest.Builder next = request.toBuilder();
      next.getDataBuilder().setSplitSeed(seed.incrementAndGet());
      try {
        quantizer.stub().evaluate(next.build());
      } catch (StatusRuntimeException e) {
        if (RpcErrors.translate(e).reason() != Reason.BUSY) {
          throw e;
        }
        turnedAway.incrementAndGet();
        pause();
      }
    }
  }

  private static void pause() {
    try {
      Thread.sleep(PAUSE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Calls that were answered BUSY so far. */
  int turnedAway() {
    return turnedAway.get();
  }

  @Override
  public void close() {
    closed = true;
    for (Thread caller : callers) {
      try {
        caller.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
