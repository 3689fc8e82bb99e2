package dev.haq.quantizer.eval;

import dev.haq.model.Accuracy;
import dev.haq.quantizer.onnx.CnnGraph.OutputKind;

/** Compares one image's class scores with its label. */
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
    return new Accuracy(
        1, rank == 0 ? 1 : 0, rank < TOP ? 1 : 0, -logProbability(scores, offset, classes, label));
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

  private double logProbability(float[] scores, int offset, int classes, int label) {
    double logProbability =
        kind == OutputKind.PROBABILITIES
            ? Math.log(scores[offset + label])
            : logSoftmax(scores, offset, classes, label);
    double least = Math.log(LEAST_PROBABILITY);
    return logProbability >= least ? Math.min(logProbability, 0) : least;
  }

  private static double logSoftmax(float[] scores, int offset, int classes, int label) {
    double largest = Double.NEGATIVE_INFINITY;
    for (int c = 0; c < classes; c++) {
      largest = Math.max(largest, scores[offset + c]);
    }
    double sum = 0;
    for (int c = 0; c < classes; c++) {
      sum += Math.exp(scores[offset + c] - largest);
    }
    return scores[offset + label] - largest - Math.log(sum);
  }
}
