package dev.haq.model;

/**
 * How well a network, quantized or not, labels a set of images. Counts and sums, so that the
 * accuracies of parts of a set add up exactly.
 *
 * @param images how many were labelled, at least 1
 * @param top1Correct how many had the right label first
 * @param top5Correct how many had it among the first five
 * @param crossEntropySum sum over the images of -ln p(right label), in nats
 */
public record Accuracy(int images, int top1Correct, int top5Correct, double crossEntropySum) {
  public Accuracy {
    if (images < 1 || top1Correct < 0 || top1Correct > top5Correct || top5Correct > images) {
      throw HaqException.invalid(
          "accuracy with %d images, %d top-1, %d top-5: expected 0 <= top-1 <= top-5 <= images, at least one image",
          images, top1Correct, top5Correct);
    }
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

  public Accuracy plus(Accuracy other) {
    return new Accuracy(
        images + other.images,
        top1Correct + other.top1Correct,
        top5Correct + other.top5Correct,
        crossEntropySum + other.crossEntropySum);
  }
}
