package dev.haq.quantizer.grpc;

import dev.haq.model.Reason;
import dev.haq.proto.quantizer.v1.EvaluateRequest;
import dev.haq.rpc.RpcErrors;
import io.grpc.StatusRuntimeException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/** More evaluations than may wait, for as long as it is open: no two alike, so none is cached. */
final class Flood implements AutoCloseable {
  private static final int CALLERS = 44;
  private static final int PAUSE_MILLIS = 5;

  private final List<Thread> callers = new ArrayList<>();
  private final AtomicLong seed = new AtomicLong();
  private final AtomicInteger turnedAway = new AtomicInteger();
  private final AtomicReference<RuntimeException> failure = new AtomicReference<>();
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
    try {
      awaitAnother();
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /** Waits until one more was answered BUSY: it is at its height until then. */
  void awaitAnother() throws InterruptedException {
    int before = turnedAway.get();
    while (turnedAway.get() == before) {
      if (failure.get() != null) {
        throw new IllegalStateException("an evaluation failed", failure.get());
      }
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
          failure.compareAndSet(null, e);
          return;
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
