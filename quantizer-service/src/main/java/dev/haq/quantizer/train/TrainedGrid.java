package dev.haq.quantizer.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import java.util.function.UnaryOperator;

/**
 * Weights on a linear grid, symmetric: q(w) = round(clamp(w / s, -L, L)) * s with a scale s for
 * each output (HAQ paper, 3.4). The gradient of q(w) is that of w inside the clip range and 0
 * outside (straight-through estimator).
 */
final class TrainedGrid implements TrainedWeights {
  private final NDArray parameter;
  private final int levels;
  private final UnaryOperator<float[]> scalesOf;
  private final Shape perOutput; // [outputs, 1, ...]
  private NDArray scales; // [outputs, 1, ...]
  private NDArray reciprocals; // the same

  /**
   * @param parameter [outputs, ...]; its manager owns what is kept here
   * @param levels L, how many magnitudes other than zero there are
   * @param scalesOf the scale of each output for given weights, each above 0
   */
  TrainedGrid(NDArray parameter, int levels, UnaryOperator<float[]> scalesOf) {
    this.parameter = parameter;
    this.levels = levels;
    this.scalesOf = scalesOf;
    long[] dimensions = new long[parameter.getShape().dimension()];
    Arrays.fill(dimensions, 1);
    dimensions[0] = parameter.getShape().get(0);
    this.perOutput = new Shape(dimensions);
    refit();
  }

  @Override
  public NDArray parameter() {
    return parameter;
  }

  @Override
  public NDArray quantized() {
    NDManager manager = parameter.getManager();
    // The library leaves the bounds of clip behind, with the manager of what is clipped.
    try (NDManager scratch = manager.newSubManager()) {
      NDArray steps = parameter.mul(reciprocals);
      steps.attach(scratch);
      NDArray clipped = steps.clip(-levels, levels);
      clipped.attach(manager);
      return Rounding.inPlace(clipped).muli(scales);
    }
  }

  @Override
  public NDArray gradient(NDArray gradient) {
    try (NDArray steps = parameter.mul(reciprocals);
        NDArray magnitudes = steps.abs();
        NDArray inside = magnitudes.lte(levels)) {
      return gradient.mul(inside);
    }
  }

  @Override
  public void refit() {
    float[] fitted = scalesOf.apply(parameter.toFloatArray());
    float[] inverse = new float[fitted.length];
    for (int o = 0; o < fitted.length; o++) {
      inverse[o] = Math.min(1 / fitted[o], Float.MAX_VALUE); // of the least numbers it is infinite
    }
    if (scales != null) {
      scales.close();
      reciprocals.close();
    }
    NDManager manager = parameter.getManager();
    scales = manager.create(fitted, perOutput);
    reciprocals = manager.create(inverse, perOutput);
  }
}
