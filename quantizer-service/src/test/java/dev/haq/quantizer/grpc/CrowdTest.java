package dev.haq.quantizer.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.DataSelection;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.model.Recipe;
import dev.haq.quantizer.eval.Evaluation;
import dev.haq.quantizer.eval.EvaluationRequest;
import dev.haq.quantizer.eval.Evaluator;
import dev.haq.quantizer.eval.Images;
import dev.haq.quantizer.eval.TestEvaluators;
import dev.haq.quantizer.graphs.IntegerGraph;
import dev.haq.quantizer.graphs.Processor;
import dev.haq.quantizer.importing.ModelImporter;
import dev.haq.quantizer.onnx.ImportedModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Many callers at once, and callers and services that leave in the middle. */
@Timeout(60)
final class CrowdTest {
  private static final ImportedModel MODEL =
      ModelImporter.read(RunningQuantizer.smallModel(4), "sha256:crowd", "crowd");
  private static final int MOST_WAITING = 32;

  private final CountDownLatch reading = new CountDownLatch(1);
  private final CountDownLatch released = new CountDownLatch(1);
  private final ExecutorService callers = Executors.newCachedThreadPool();
  private final CountDownLatch twoBegun = new CountDownLatch(2);
  private Evaluator evaluator = evaluator(1);

  private Evaluator evaluator(int concurrent) {
    return TestEvaluators.of(
        (selection, shape, classes) -> {
          twoBegun.countDown();
          return new HeldImages();
        },
        new IntegerGraph(Processor.detect()),
        TestEvaluators.limits(1, concurrent, 4, 1, 1));
  }

  /** One image, whose reading takes until it is released, whoever interrupts. */
  private final class HeldImages implements Images {
    @Override
    public int size() {
      return 1;
    }

    @Override
    public int label(int image) {
      return 0;
    }

    @Override
    public void read(int image, float[] target, int offset) {
      reading.countDown();
      boolean interrupted = false;
      while (released.getCount() > 0) {
        try {
          released.await();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @AfterEach
  void letGo() throws InterruptedException {
    released.countDown();
    callers.shutdown();
    assertTrue(callers.awaitTermination(30, TimeUnit.SECONDS));
    evaluator.close();
  }

  private Evaluation evaluate() {
    return evaluator.evaluate(
        new EvaluationRequest(
            MODEL, DataSelection.all("held"), Optional.empty(), Recipe.HAQ, false),
        () -> false);
  }

  @Test
  void moreThanACrowdIsToldToComeAgain() throws InterruptedException {
    List<CompletableFuture<Evaluation>> calls = new ArrayList<>();
    calls.add(CompletableFuture.supplyAsync(this::evaluate, callers));
    reading.await();
    int turnedAway = 5;
    CountDownLatch busy = new CountDownLatch(turnedAway);
    for (int i = 0; i < MOST_WAITING + turnedAway; i++) {
      CompletableFuture<Evaluation> call = CompletableFuture.supplyAsync(this::evaluate, callers);
      calls.add(
          call.whenComplete(
              (answer, failure) -> {
                if (failure != null) {
                  busy.countDown();
                }
              }));
    }
    busy.await();
    released.countDown();
    int answered = 0;
    for (CompletableFuture<Evaluation> call : calls) {
      try {
        assertEquals(1, call.join().accuracy().images());
        answered++;
      } catch (CompletionException e) {
        assertEquals(Reason.BUSY, ((HaqException) e.getCause()).reason());
      }
    }
    assertEquals(1 + MOST_WAITING, answered);
  }

  @Test
  void aServiceThatStopsTurnsTheQueueAwayAndLetsTheBatchAtHandEnd() throws InterruptedException {
    evaluator.close();
    evaluator = evaluator(2);
    CompletableFuture<Evaluation> running = CompletableFuture.supplyAsync(this::evaluate, callers);
    reading.await();
    CompletableFuture<Evaluation> queued = CompletableFuture.supplyAsync(this::evaluate, callers);
    twoBegun.await();
    evaluator.close();
    CompletionException failure = assertThrows(CompletionException.class, queued::join);
    assertEquals(Reason.UNAVAILABLE, ((HaqException) failure.getCause()).reason());
    assertFalse(running.isDone());
    released.countDown();
    assertEquals(1, running.join().accuracy().images());
  }

  @Test
  void anInterruptedCallerLeavesOnlyWhenNothingRuns() throws InterruptedException {
    AtomicReference<HaqException> failure = new AtomicReference<>();
    Thread caller = new Thread(() -> failure.set(assertThrows(HaqException.class, this::evaluate)));
    caller.start();
    reading.await();
    caller.interrupt();
    while (caller.isInterrupted()) {
      Thread.onSpinWait(); // until it has noticed
    }
    assertTrue(caller.isAlive());
    released.countDown();
    caller.join();
    assertEquals(Reason.CANCELLED, failure.get().reason());
  }
}
