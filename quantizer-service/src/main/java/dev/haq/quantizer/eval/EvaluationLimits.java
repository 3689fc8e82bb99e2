package dev.haq.quantizer.eval;

import dev.haq.model.HaqException;

/**
 * How much an evaluator does at once and remembers.
 *
 * @param threads that run images, at least 1
 * @param concurrent evaluations under way at once; others wait. Each holds one session
 * @param answers remembered, at most 3 KiB each
 * @param calibrations remembered, 32 KiB a layer each
 * @param models whose quantized weights are remembered, each with one recipe and data: at most 7
 *     bytes a weight, 28 with codebooks; and for second-order rounding of layers of n weights an
 *     output about 8*n*min(n, 1,024) bytes a group
 * @param floatScoreBytes of the float model's class scores that are remembered; those of one model
 *     and data are even where they are more, for an evaluation holds them anyway
 * @param activationBytes of float activations that measurements of sensitivity hold together
 */
public record EvaluationLimits(
    int threads,
    int concurrent,
    int answers,
    int calibrations,
    int models,
    long floatScoreBytes,
    long activationBytes) {
  public EvaluationLimits {
    for (long limit :
        new long[] {
          threads, concurrent, answers, calibrations, models, floatScoreBytes, activationBytes
        }) {
      if (limit < 1) {
        throw HaqException.invalid("evaluation limit %d must be at least 1", limit);
      }
    }
  }
}
