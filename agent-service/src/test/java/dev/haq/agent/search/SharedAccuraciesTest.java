package dev.haq.agent.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.Accuracy;
import dev.haq.model.HaqException;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class SharedAccuraciesTest {
  private static final Policy EIGHT = Policy.uniform(2, LayerBits.of(8, 8));
  private static final Policy FOUR = Policy.uniform(2, LayerBits.of(4, 4));

  private final AtomicInteger calls = new AtomicInteger();

  @Test
  void aPolicyIsEvaluatedOnce() {
    SharedAccuracies shared = new SharedAccuracies(new Counting());
    assertEquals(1, shared.evaluate(EIGHT).top1Correct());
    assertEquals(2, shared.evaluate(FOUR).top1Correct());
    assertEquals(1, shared.evaluate(Policy.uniform(2, LayerBits.of(8, 8))).top1Correct());
    assertEquals(2, calls.get());
  }

  @Test
  void whoeverAsksMeanwhileWaitsForTheAnswer() throws InterruptedException {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch answer = new CountDownLatch(1);
    SharedAccuracies shared =
        new SharedAccuracies(
            new Counting() {
              @Override
              public Accuracy evaluate(Policy policy) {
                begun.countDown();
                try {
                  assertTrue(answer.await(30, TimeUnit.SECONDS));
                } catch (InterruptedException e) {
                  throw new IllegalStateException(e);
                }
                return super.evaluate(policy);
              }
            });
    CompletableFuture<Accuracy> first = CompletableFuture.supplyAsync(() -> shared.evaluate(EIGHT));
    assertTrue(begun.await(30, TimeUnit.SECONDS));
    CompletableFuture<Accuracy> second =
        CompletableFuture.supplyAsync(() -> shared.evaluate(EIGHT));
    answer.countDown();
    assertEquals(first.join(), second.join());
    assertEquals(1, calls.get());
  }

  @Test
  void anEvaluationThatFailedIsMadeAgain() {
    SharedAccuracies shared =
        new SharedAccuracies(
            new Counting() {
              @Override
              public Accuracy evaluate(Policy policy) {
                if (calls.get() == 0) {
                  calls.incrementAndGet();
                  throw new HaqException(Reason.UNAVAILABLE, "away");
                }
                return super.evaluate(policy);
              }
            });
    HaqException e = assertThrows(HaqException.class, () -> shared.evaluate(EIGHT));
    assertEquals(Reason.UNAVAILABLE, e.reason());
    assertEquals(2, shared.evaluate(EIGHT).top1Correct());
  }

  /** Each answer is another one. */
  private class Counting implements AccuracyEvaluator {
    @Override
    public Accuracy baseline() {
      return new Accuracy(100, 90, 90, 1);
    }

    @Override
    public Accuracy evaluate(Policy policy) {
      return new Accuracy(100, calls.incrementAndGet(), 100, 1);
    }
  }
}
