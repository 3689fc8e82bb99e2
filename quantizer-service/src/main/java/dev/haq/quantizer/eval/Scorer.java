package dev.haq.quantizer.eval;

import dev.haq.model.Accuracy;
import dev.haq.quantizer.onnx.CnnGraph.OutputKind;
import java.util.OptionalDouble;

/**
 * Compares one image's class scores with its label, and with the float model's scores. Whatever is
 * summed over images is rounded to {@link Accuracy#GRAIN} first, so that sums do not depend on
 * their order.
 */
final class Scorer {
  /** Stands for a probability of zero, or one that is not a number, in the cross-entropy. */
  static final double LEAST_PROBABILITY = 1e-30;

  private static final int TOP = 5;

  private final OutputKind kind;

  Scorer(OutputKind kind) {
    this.kind = kind;
  }

  /**
   * @param scores of a batch; the image's own are {@code classes} from {@code offset} on
   */
  Accuracy score(float[] scores, int offset, int classes, int label) {
    int rank = rank(scores, offset, classes, label);
    double logProbability = logProbability(scores, offset, label, logSum(scores, offset, classes));
    return new Accuracy(
        1, rank == 0 ? 1 : 0, rank < TOP ? 1 : 0, Accuracy.grained(-logProbability));
  }

  /**
   * The same, and how far the class probabilities are from the float model's.
   *
   * @param exact the float model's scores, the image's own from {@code exactOffset} on
   */
  Accuracy score(
      float[] scores, int offset, int classes, int label, float[] exact, int exactOffset) {
    double divergence = divergence(exact, exactOffset, scores, offset, classes);
    return score(scores, offset, classes, label)
        .withKlDivergence(OptionalDouble.of(Accuracy.grained(divergence)));
  }

  /** How many classes come before the label; of equal scores the lower index comes first. */
  private static int rank(float[] scores, int offset, int classes, int label) {
    float own = scores[offset + label];
    if (Float.isNaN(own)) {
      return classes;
    }
    int before = 0;
    for (int c = 0; c < classes; c++) {
      float other = scores[offset + c];
      if (other > own || (other == own && c < label)) {
        before++;
      }
    }
    return before;
  }

  /**
   * KL(float || quantized) = sum over classes of p ln(p / q), in nats, 0 or more. Probabilities
   * below {@link #LEAST_PROBABILITY} count as that.
   */
  private double divergence(
      float[] exact, int exactOffset, float[] scores, int offset, int classes) {
    double exactLogSum = logSum(exact, exactOffset, classes);
    double logSum = logSum(scores, offset, classes);
    double sum = 0;
    for (int c = 0; c < classes; c++) {
      double logP = logProbability(exact, exactOffset, c, exactLogSum);
      sum += Math.exp(logP) * (logP - logProbability(scores, offset, c, logSum));
    }
    return Math.max(0, sum);
  }

  /** ln p(class), between ln {@link #LEAST_PROBABILITY} and 0. */
  private double logProbability(float[] scores, int offset, int c, double logSum) {
    double logProbability =
        kind == OutputKind.PROBABILITIES
            ? Math.log(scores[offset + c])
            : scores[offset + c] - logSum;
    double least = Math.log(LEAST_PROBABILITY);
    return logProbability >= least ? Math.min(logProbability, 0) : least;
  }

  /** ln of the sum of e^score, which logits are measured from; 0 for probabilities. */
  private double logSum(float[] scores, int offset, int classes) {
    if (kind == OutputKind.PROBABILITIES) {
      return 0;
    }
    double largest = Double.NEGATIVE_INFINITY;
    for (int c = 0; c < classes; c++) {
      largest = Math.max(largest, scores[offset + c]);
    }
    double sum = 0;
    for (int c = 0; c < classes; c++) {
      sum += Math.exp(scores[offset + c] - largest);
    }
    return largest + Math.log(sum);
  }
}
