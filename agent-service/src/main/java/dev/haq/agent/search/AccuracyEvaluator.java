package dev.haq.agent.search;

import dev.haq.model.Accuracy;
import dev.haq.model.Policy;

/**
 * What bit-widths do to accuracy, on the session's search images. Port: a quantizer answers; this
 * is the expensive call of an episode.
 */
public interface AccuracyEvaluator {
  /** The float model on the same images; computed once. */
  Accuracy baseline();

  /**
   * The network quantized as {@code policy} says.
   *
   * @throws dev.haq.model.HaqException when the quantizer refuses, does not answer, or the call is
   *     cancelled
   */
  Accuracy evaluate(Policy policy);
}
