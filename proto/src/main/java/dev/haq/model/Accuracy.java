package dev.haq.model;

import java.util.OptionalDouble;

/**
 * How well a network, quantized or not, labels a set of images. Counts and sums, so that the
 * accuracies of parts of a set add up exactly, in any order: what an image adds to a sum is a
 * multiple of {@link #GRAIN}, of which doubles hold sums without rounding up to 2^25 nats (more
 * than 480,000 images however bad, 3 million at the cross-entropy of ten).
 *
 * @param images how many were labelled; 0 for an empty part of a set
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
  /** What an image's cross-entropy and divergence are rounded to, in nats. */
  public static final double GRAIN = 0x1p-28;

  /** On no image, where nothing was asked of the float model. */
  public static final Accuracy NONE = new Accuracy(0, 0, 0, 0);

  public Accuracy {
    if (images < 0 || top1Correct < 0 || top1Correct > top5Correct || top5Correct > images) {
      throw HaqException.invalid(
          "accuracy with %d images, %d top-1, %d top-5: expected 0 <= top-1 <= top-5 <= images",
          images, top1Correct, top5Correct);
    }
  }

  /** Without a comparison with the float model. */
  public Accuracy(int images, int top1Correct, int top5Correct, double crossEntropySum) {
    this(images, top1Correct, top5Correct, crossEntropySum, OptionalDouble.empty());
  }

  /** {@code nats} as one image adds them to a sum. */
  public static double grained(double nats) {
    return Math.rint(nats / GRAIN) * GRAIN;
  }

  /** Percentage points, 0..100; 0 without images, as all means are. */
  public double top1() {
    return mean(100.0 * top1Correct);
  }

  /** Percentage points, 0..100. */
  public double top5() {
    return mean(100.0 * top5Correct);
  }

  /** Mean, in nats. */
  public double crossEntropy() {
    return mean(crossEntropySum);
  }

  private double mean(double sum) {
    return images == 0 ? 0 : sum / images;
  }

  /** Mean divergence from the float model, in nats. */
  public OptionalDouble klDivergence() {
    return klDivergenceSum.isPresent()
        ? OptionalDouble.of(mean(klDivergenceSum.getAsDouble()))
        : OptionalDouble.empty();
  }

  /** The same with another comparison with the float model, or none. */
  public Accuracy withKlDivergence(OptionalDouble sum) {
    return new Accuracy(images, top1Correct, top5Correct, crossEntropySum, sum);
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
