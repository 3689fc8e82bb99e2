package dev.haq.quantizer.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.DataSelection;
import dev.haq.model.HaqException;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import dev.haq.model.Recipe;
import dev.haq.quantizer.eval.Evaluation;
import dev.haq.quantizer.eval.EvaluationRequest;
import dev.haq.quantizer.eval.Evaluator;
import dev.haq.quantizer.eval.FineTuner;
import dev.haq.quantizer.eval.Images;
import dev.haq.quantizer.eval.TestEvaluators;
import dev.haq.quantizer.graphs.IntegerGraph;
import dev.haq.quantizer.graphs.Processor;
import dev.haq.quantizer.importing.SmallModel;
import dev.haq.quantizer.onnx.ImportedModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What others may do while a network is trained for long. */
@Timeout(60)
final class HeldTrainingTest {
  private static final int CLASSES = 4;
  private static final int CONCURRENT = 2;
  private static final int MOST_WAITING_TO_TRAIN = 8;
  private static final Recipe TRAINED = Recipe.named("haq-finetune");
  private static final ImportedModel MODEL = model();

  private final ExecutorService callers = Executors.newCachedThreadPool();
  private final CountDownLatch training = new CountDownLatch(1);
  private final CountDownLatch released = new CountDownLatch(1);
  private final Evaluator evaluator =
      new Evaluator(
          (TestEvaluators.AtHand) (selection, shape, classes) -> new Noise(),
          new IntegerGraph(Processor.detect()),
          new StraightThroughTuner(1),
          TestEvaluators.limits(1, CONCURRENT, 64, 2, 2));
  private CompletableFuture<FineTuner.Tuned> held;

  private record Noise() implements Images {
    @Override
    public int size() {
      return 8;
    }

    @Override
    public int label(int image) {
      return image % CLASSES;
    }

    @Override
    public void read(int image, float[] target, int offset) {
      Random random = new Random(image);
      for (int i = 0; i < 3 * 8 * 8; i++) {
        target[offset + i] = (float) random.nextGaussian();
      }
    }
  }

  private static ImportedModel model() {
    SmallModel model = new SmallModel(3, 8, 8);
    String features = model.relu(model.conv("image", 3, 8, 3, 1, 1));
    return model.imported(model.gemm(model.pooled(features), 8, CLASSES));
  }

  private static EvaluationRequest request(Recipe recipe, int bits) {
    return new EvaluationRequest(
        MODEL,
        DataSelection.all("noise"),
        Optional.of(Policy.uniform(MODEL.network().size(), LayerBits.of(bits, bits))),
        recipe,
        false);
  }

  private CompletableFuture<Evaluation> evaluate(
      Recipe recipe, int bits, BooleanSupplier cancelled) {
    return CompletableFuture.supplyAsync(
        () -> evaluator.evaluate(request(recipe, bits), cancelled), callers);
  }

  /** Asked again and again by one who waits. */
  private static BooleanSupplier notedBy(CountDownLatch asked) {
    return () -> {
      asked.countDown();
      return false;
    };
  }

  @BeforeEach
  void train() throws InterruptedException {
    held =
        CompletableFuture.supplyAsync(
            () ->
                evaluator.tune(request(TRAINED, 8), Optional.empty(), step -> hold(), () -> false),
            callers);
    assertTrue(training.await(60, TimeUnit.SECONDS), "the training has not begun");
  }

  private void hold() {
    training.countDown();
    try {
      released.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @AfterEach
  void letGo() throws InterruptedException {
    released.countDown();
    callers.shutdown();
    assertTrue(callers.awaitTermination(30, TimeUnit.SECONDS));
    evaluator.close();
  }

  @Test
  void evaluationsThatWaitToTrainLetOthersRun() throws Exception {
    List<CompletableFuture<Evaluation>> waiting = new ArrayList<>();
    for (int bits = 4; bits < 4 + CONCURRENT + 1; bits++) {
      CountDownLatch asked = new CountDownLatch(8);
      waiting.add(evaluate(TRAINED, bits, notedBy(asked)));
      asked.await();
    }
    assertEquals(
        8, evaluate(Recipe.HAQ, 5, () -> false).get(20, TimeUnit.SECONDS).accuracy().images());
    assertFalse(held.isDone());
    for (CompletableFuture<Evaluation> call : waiting) {
      assertFalse(call.isDone());
    }
    released.countDown();
    held.get(20, TimeUnit.SECONDS);
    for (CompletableFuture<Evaluation> call : waiting) {
      assertEquals(8, call.get(20, TimeUnit.SECONDS).accuracy().images());
    }
  }

  @Test
  void oneThatWaitsToTrainCanLeave() {
    AtomicBoolean left = new AtomicBoolean();
    CompletableFuture<Evaluation> waiting = evaluate(TRAINED, 4, left::get);
    left.set(true);
    assertEquals(Reason.CANCELLED, reason(waiting));
  }

  @Test
  void moreThanAFewThatWaitToTrainAreToldToComeAgain() throws Exception {
    List<CompletableFuture<Evaluation>> waiting = new ArrayList<>();
    for (int i = 0; i < MOST_WAITING_TO_TRAIN; i++) {
      CountDownLatch one = new CountDownLatch(1);
      waiting.add(evaluate(TRAINED, 4, notedBy(one)));
      one.await();
    }
    assertEquals(Reason.BUSY, reason(evaluate(TRAINED, 4, () -> false)));
    released.countDown();
    for (CompletableFuture<Evaluation> call : waiting) {
      assertEquals(8, call.get(20, TimeUnit.SECONDS).accuracy().images());
    }
  }

  private static Reason reason(CompletableFuture<Evaluation> refused) {
    ExecutionException failure =
        assertThrows(ExecutionException.class, () -> refused.get(20, TimeUnit.SECONDS));
    return ((HaqException) failure.getCause()).reason();
  }
}
