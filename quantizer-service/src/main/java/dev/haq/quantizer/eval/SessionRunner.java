package dev.haq.quantizer.eval;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.Ort;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * Runs sessions over images: as many threads as asked for, each on a small batch of its own, which
 * was never slower than threads inside a session (README, Evaluation). Results are put together in
 * image order, so that they do not depend on which thread was faster.
 */
final class SessionRunner implements AutoCloseable {
  /** About the values of thirteen images of 32x32; larger batches gain nothing and cost memory. */
  private static final int BATCH_VALUES = 40_000;

  private static final int SMALLEST_BATCH = 2;

  private final int threads;
  private final ExecutorService workers;

  SessionRunner(int threads) {
    this.threads = threads;
    AtomicInteger next = new AtomicInteger();
    this.workers =
        Executors.newFixedThreadPool(
            threads,
            work -> {
              Thread thread = new Thread(work, "evaluation-" + next.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            });
  }

  /** What to do with the outputs of one batch. */
  interface Outputs<T> {
    /**
     * @param first index of the batch's first image
     * @param count images in the batch
     */
    T of(OrtSession.Result result, int first, int count) throws OrtException;
  }

  /** Images of a batch for this graph. */
  static int batchSize(CnnGraph graph) {
    return graph.fixedBatch() ? 1 : Math.max(SMALLEST_BATCH, BATCH_VALUES / graph.inputValues());
  }

  static float[] floats(OnnxTensor tensor) {
    FloatBuffer buffer = tensor.getFloatBuffer();
    if (buffer.hasArray() && buffer.array().length == buffer.remaining()) {
      return buffer.array();
    }
    float[] values = new float[buffer.remaining()];
    buffer.get(values);
    return values;
  }

  /** Runs over images and answers what {@code outputs} made of each batch, in order. */
  <T> List<T> run(
      OrtSession session,
      CnnGraph graph,
      Images images,
      int from,
      int to,
      int batchSize,
      Outputs<T> outputs,
      BooleanSupplier cancelled) {
    int batches = (to - from + batchSize - 1) / batchSize;
    return inParallel(
        batches,
        () -> {
          InputBatch batch = images.batch(graph, batchSize);
          return b -> {
            int first = from + b * batchSize;
            int count = Math.min(batchSize, to - first);
            try (OnnxTensor input = batch.tensor(first, count);
                OrtSession.Result result = session.run(Map.of(graph.input(), input))) {
              return outputs.of(result, first, count);
            }
          };
        },
        cancelled);
  }

  /** What one thread does with a piece of work. */
  interface Worker<T> {
    T of(int piece) throws OrtException;
  }

  /**
   * Shares pieces of work out to the threads and answers what became of each, in order.
   *
   * @param worker makes a worker for each thread that takes part
   */
  <T> List<T> inParallel(int pieces, Supplier<Worker<T>> worker, BooleanSupplier cancelled) {
    List<T> results = new ArrayList<>(java.util.Collections.nCopies(pieces, null));
    AtomicInteger next = new AtomicInteger();
    Runnable work =
        () -> {
          Worker<T> mine = worker.get();
          for (int p = next.getAndIncrement(); p < pieces; p = next.getAndIncrement()) {
            if (workers.isShutdown()) {
              throw stopping();
            }
            if (cancelled.getAsBoolean()) {
              next.set(pieces);
              throw new HaqException(Reason.CANCELLED, "the caller left, or its deadline passed");
            }
            T result;
            try {
              result = mine.of(p);
            } catch (OrtException e) {
              throw Ort.failed(e);
            }
            synchronized (results) {
              results.set(p, result);
            }
          }
        };
    List<Future<?>> running = new ArrayList<>();
    boolean rejected = false;
    try {
      for (int i = 0; i < Math.min(threads, pieces); i++) {
        running.add(workers.submit(work));
      }
    } catch (RejectedExecutionException e) {
      rejected = true;
    }
    Optional<HaqException> failure = awaitAll(running, () -> next.set(pieces));
    if (failure.isPresent() || rejected) {
      throw failure.orElseGet(SessionRunner::stopping);
    }
    return results;
  }

  /**
   * Waits for all, whatever becomes of one of them and even when interrupted: the caller closes the
   * session next, and one that is in use must not be closed.
   *
   * @return the first failure
   */
  private static Optional<HaqException> awaitAll(List<Future<?>> running, Runnable stop) {
    HaqException failure = null;
    boolean interrupted = false;
    for (int i = 0; i < running.size(); ) {
      HaqException failed = null;
      try {
        running.get(i).get();
        i++;
      } catch (ExecutionException e) {
        failed =
            e.getCause() instanceof HaqException typed
                ? typed
                : new HaqException(
                    Reason.INTERNAL, "an evaluation failed: " + e.getCause(), e.getCause());
        i++;
      } catch (CancellationException e) {
        failed = stopping();
        i++;
      } catch (InterruptedException e) {
        interrupted = true;
        failed = new HaqException(Reason.CANCELLED, "the evaluation was interrupted", e);
      }
      if (failed != null) {
        stop.run();
        failure = failure == null ? failed : failure;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return Optional.ofNullable(failure);
  }

  private static HaqException stopping() {
    return new HaqException(
        Reason.UNAVAILABLE, "the service is stopping: call again, another replica answers");
  }

  /** Ends what is under way: calls that wait for it fail once their batches at hand are done. */
  @Override
  public void close() {
    for (Runnable waiting : workers.shutdownNow()) {
      if (waiting instanceof Future<?> future) {
        future.cancel(false);
      }
    }
  }
}
