package dev.haq.quantizer.eval;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.haq.model.Accuracy;
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

/**
 * Runs sessions over images: as many threads as asked for, each on a small batch of its own, which
 * was never slower than threads inside a session (evaluation.md). Results are put together in image
 * order, so that they do not depend on which thread was faster.
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

  /** The accuracy on images {@code from} (included) to {@code to} (not included). */
  Accuracy accuracy(
      OrtSession session,
      CnnGraph graph,
      Images images,
      int from,
      int to,
      BooleanSupplier cancelled) {
    Scorer scorer = new Scorer(graph.outputKind());
    int classes = graph.classes();
    Outputs<Accuracy> scoring =
        (result, first, count) -> {
          float[] scores = floats((OnnxTensor) result.get(0));
          Accuracy sum = scorer.score(scores, 0, classes, images.label(first));
          for (int i = 1; i < count; i++) {
            sum = sum.plus(scorer.score(scores, i * classes, classes, images.label(first + i)));
          }
          return sum;
        };
    return run(session, graph, images, from, to, batchSize(graph), scoring, cancelled).stream()
        .reduce(Accuracy::plus)
        .orElseThrow();
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
    List<T> results = new ArrayList<>(java.util.Collections.nCopies(batches, null));
    AtomicInteger next = new AtomicInteger();
    Runnable work =
        () -> {
          InputBatch batch = images.batch(graph, batchSize);
          for (int b = next.getAndIncrement(); b < batches; b = next.getAndIncrement()) {
            if (workers.isShutdown()) {
              throw stopping();
            }
            if (cancelled.getAsBoolean()) {
              next.set(batches);
              throw new HaqException(Reason.CANCELLED, "the caller left, or its deadline passed");
            }
            int first = from + b * batchSize;
            int count = Math.min(batchSize, to - first);
            T result = run(session, graph, batch, first, count, outputs);
            synchronized (results) {
              results.set(b, result);
            }
          }
        };
    List<Future<?>> running = new ArrayList<>();
    boolean rejected = false;
    try {
      for (int i = 0; i < Math.min(threads, batches); i++) {
        running.add(workers.submit(work));
      }
    } catch (RejectedExecutionException e) {
      rejected = true;
    }
    Optional<HaqException> failure = awaitAll(running, () -> next.set(batches));
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

  private static <T> T run(
      OrtSession session,
      CnnGraph graph,
      InputBatch batch,
      int first,
      int count,
      Outputs<T> outputs) {
    try (OnnxTensor input = batch.tensor(first, count);
        OrtSession.Result result = session.run(Map.of(graph.input(), input))) {
      return outputs.of(result, first, count);
    } catch (OrtException e) {
      throw Ort.refused(e);
    }
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
