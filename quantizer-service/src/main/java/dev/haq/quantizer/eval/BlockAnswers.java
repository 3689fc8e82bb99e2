package dev.haq.quantizer.eval;

import dev.haq.model.Accuracy;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What is known of the answer to one request, block by block, so that shards are answered from the
 * whole and the whole from its shards. Safe for use by many threads.
 */
final class BlockAnswers {
  private final Blocks blocks;
  private final boolean exact;
  private final Accuracy[] known; // null where it is not

  /**
   * @param exact whether the answers are of the float model, which does not diverge from itself
   */
  BlockAnswers(Blocks blocks, boolean exact) {
    this.blocks = blocks;
    this.exact = exact;
    this.known = new Accuracy[blocks.count()];
  }

  Blocks blocks() {
    return blocks;
  }

  /**
   * The blocks from {@code first} up to, not including, {@code end} of which too little is known.
   *
   * @param divergence whether the comparison with the float model must be known too
   */
  synchronized List<Integer> missing(int first, int end, boolean divergence) {
    List<Integer> missing = new ArrayList<>();
    for (int b = first; b < end; b++) {
      if (!suffices(known[b], divergence)) {
        missing.add(b);
      }
    }
    return missing;
  }

  /** The sum over blocks; with the comparison, or without it whether it is known or not. */
  synchronized Optional<Accuracy> sum(int first, int end, boolean divergence) {
    if (!missing(first, end, divergence).isEmpty()) {
      return Optional.empty();
    }
    Accuracy sum =
        Accuracy.NONE.withKlDivergence(divergence ? OptionalDouble.of(0) : OptionalDouble.empty());
    for (int b = first; b < end; b++) {
      sum = sum.plus(known[b]);
    }
    return Optional.of(sum);
  }

  synchronized void put(int block, Accuracy accuracy) {
    if (!suffices(known[block], true)) {
      known[block] = exact ? accuracy.withKlDivergence(OptionalDouble.of(0)) : accuracy;
    }
  }

  private static boolean suffices(Accuracy accuracy, boolean divergence) {
    return accuracy != null && (!divergence || accuracy.klDivergenceSum().isPresent());
  }
}
