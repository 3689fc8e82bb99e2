package dev.haq.model;

import java.util.OptionalDouble;

/**
 * How well a network, quantized or not, labels a set of images. Counts and sums, so that the
 * accuracies of parts of a set add up exactly.
 *
 * @param images how many were labelled, at least 1
 * @param top1Correct how many had the right label first
 * @param top5Correct how many had it among the first five
 * @param crossEntropySum sum over the images of -ln p(right label), in nats
 * @param klDivergenceSum sum over the images of KL(float || quantized), the divergence of the class
 *     probabilities from the float model's, in nats; empty where it was not asked for
 */
public record Accuracy(
    int images,
    int top1Correct,
    int top5Correct,
    double crossEntropySum,
    OptionalDouble klDivergenceSum) {
  public Accuracy {
    if (images < 1 || top1Correct < 0 || top1Correct > top5Correct || top5Correct > images) {
      throw HaqException.invalid(
          "accuracy with %d images, %d top-1, %d top-5: expected 0 <= top-1 <= top-5 <= images, at least one image",
          images, top1Correct, top5Correct);
    }
  }

  /** Without a comparison with the float model. */
  public Accuracy(int images, int top1Correct, int top5Correct, double crossEntropySum) {
    this(images, top1Correct, top5Correct, crossEntropySum, OptionalDouble.empty());
  }

  /** Percentage points, 0..100. */
  public double top1() {
    return 100.0 * top1Correct / images;
  }

  /** Percentage points, 0..100. */
  public double top5() {
    return 100.0 * top5Correct / images;
  }

  /** Mean, in nats. */
  public double crossEntropy() {
    return crossEntropySum / images;
  }

  /** Mean divergence from the float model, in nats. */
  public OptionalDouble klDivergence() {
    return klDivergenceSum.isPresent()
        ? OptionalDouble.of(klDivergenceSum.getAsDouble() / images)
        : OptionalDouble.empty();
  }

  /** The accuracy on two disjoint sets together; compared with the float model where both are. */
  public Accuracy plus(Accuracy other) {
    return new Accuracy(
        images + other.images,
        top1Correct + other.top1Correct,
        top5Correct + other.top5Correct,
        crossEntropySum + other.crossEntropySum,
        klDivergenceSum.isPresent() && other.klDivergenceSum.isPresent()
            ? OptionalDouble.of(klDivergenceSum.getAsDouble() + other.klDivergenceSum.getAsDouble())
            : OptionalDouble.empty());
  }
}
