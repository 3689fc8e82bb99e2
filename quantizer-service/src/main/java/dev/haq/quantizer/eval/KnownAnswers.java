package dev.haq.quantizer.eval;

import dev.haq.model.Accuracy;
import dev.haq.model.DataSelection;
import dev.haq.model.Policy;
import dev.haq.model.Recipe;
import dev.haq.model.Shard;
import dev.haq.quantizer.sharing.LruCache;
import java.util.Optional;

/** The answers to the requests that came lately. Safe for use by many threads. */
final class KnownAnswers {
  private final LruCache<Key, BlockAnswers> kept;

  /**
   * @param most how many are remembered
   */
  KnownAnswers(int most) {
    this.kept = new LruCache<>(most);
  }

  private record Key(String model, DataSelection data, Optional<Policy> policy, Recipe recipe) {
    static Key of(EvaluationRequest request) {
      return new Key(
          request.model().id(), request.data(), request.quantizingPolicy(), request.recipe());
    }

    /** Whether it needs a model or a dataset. */
    boolean isOf(String id) {
      return model.equals(id)
          || data.datasetId().equals(id)
          || (recipe.isTrained()
              && recipe
                  .training()
                  .data()
                  .map(DataSelection::datasetId)
                  .filter(id::equals)
                  .isPresent());
    }
  }

  /** The answer to a request; empty where not all of it is known. */
  Optional<Accuracy> sum(EvaluationRequest request) {
    return kept.get(Key.of(request)).flatMap(answers -> sum(answers, request));
  }

  /** What a request asks for of what is known; empty where that is not all. */
  static Optional<Accuracy> sum(BlockAnswers answers, EvaluationRequest request) {
    int count = answers.blocks().count();
    Shard shard = request.shard();
    return answers.sum(shard.first(count), shard.end(count), request.measureDivergence());
  }

  /**
   * What is known of the answer to a request, to be added to.
   *
   * @param blocks of the selected images
   */
  BlockAnswers of(EvaluationRequest request, Blocks blocks) {
    boolean exact = request.quantizingPolicy().isEmpty();
    return kept.putIfAbsent(Key.of(request), new BlockAnswers(blocks, exact));
  }

  /** Drops what is remembered of a model or a dataset. */
  void forget(String id) {
    kept.removeIf(key -> key.isOf(id));
  }
}
