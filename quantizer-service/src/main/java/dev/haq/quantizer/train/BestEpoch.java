package dev.haq.quantizer.train;

import ai.djl.ndarray.NDArray;
import java.util.List;
import java.util.Optional;

/**
 * What is trained as it was at the end of the best epoch so far: that of the least mean loss over
 * its images, which are the same in every epoch.
 */
final class BestEpoch {
  private final List<NDArray> parameters;
  private double loss = Double.POSITIVE_INFINITY;
  private Optional<float[][]> values = Optional.empty();

  /**
   * @param parameters what gradient descent changes
   */
  BestEpoch(List<NDArray> parameters) {
    this.parameters = parameters;
  }

  /** Keeps what is trained as it is now, if its epoch was better than all before it. */
  void consider(double meanLoss) {
    if (meanLoss < loss) {
      keep(meanLoss, parameters.stream().map(NDArray::toFloatArray).toArray(float[][]::new));
    }
  }

  /** Keeps what an earlier run had kept. */
  void keep(double meanLoss, float[][] kept) {
    loss = meanLoss;
    values = Optional.of(kept);
  }

  /** The mean loss of that epoch; infinite when there was none. */
  double loss() {
    return loss;
  }

  /** By parameter; empty when there was no epoch worth keeping. */
  Optional<float[][]> values() {
    return values;
  }

  /** Puts what is trained back as it was then. */
  void restore() {
    float[][] kept = values.orElseThrow();
    for (int i = 0; i < kept.length; i++) {
      parameters.get(i).set(kept[i]);
    }
  }
}
