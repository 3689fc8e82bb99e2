package dev.haq.agent.search;

import dev.haq.model.Accuracy;
import dev.haq.model.Policy;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * An evaluator that several agents share: a policy that one of them proposed is not evaluated again
 * for another. Remembers the latest policies. Safe for use by several threads; whoever asks for a
 * policy that is being evaluated waits for that.
 */
public final class SharedAccuracies implements AccuracyEvaluator {
  /** Some 60 MB for networks of a hundred layers. */
  private static final int REMEMBERED = 10_000;

  private final AccuracyEvaluator evaluator;

  /** Guarded by itself. */
  private final Map<Policy, CompletableFuture<Accuracy>> known =
      new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Policy, CompletableFuture<Accuracy>> eldest) {
          return size() > REMEMBERED;
        }
      };

  public SharedAccuracies(AccuracyEvaluator evaluator) {
    this.evaluator = evaluator;
  }

  @Override
  public Accuracy baseline() {
    return evaluator.baseline();
  }

  @Override
  public Accuracy evaluate(Policy policy) {
    CompletableFuture<Accuracy> own = new CompletableFuture<>();
    CompletableFuture<Accuracy> first;
    synchronized (known) {
      first = known.putIfAbsent(policy, own);
    }
    if (first != null) {
      return joined(first);
    }
    try {
      own.complete(evaluator.evaluate(policy));
    } catch (RuntimeException | Error e) {
      synchronized (known) {
        known.remove(policy, own); // to be asked for again
      }
      own.completeExceptionally(e);
    }
    return joined(own);
  }

  private static Accuracy joined(CompletableFuture<Accuracy> accuracy) {
    try {
      return accuracy.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      throw e;
    }
  }
}
