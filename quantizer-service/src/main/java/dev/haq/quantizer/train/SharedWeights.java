package dev.haq.quantizer.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;

/**
 * Weights that share a few values (Han, Mao, Dally 2016, <em>Deep Compression</em>,
 * arXiv:1510.00149, section 3): the values are trained, which weight has which stays as it is. The
 * gradient of a shared value is the sum over the weights that have it.
 */
final class SharedWeights implements TrainedWeights {
  private final NDArray centroids;
  private final NDArray places; // [weights], 64 bits
  private final int[] assignment;
  private final Shape shape;

  /**
   * @param centroids the shared values
   * @param assignment which of them each weight has
   * @param shape of the layer's weights
   */
  SharedWeights(NDManager manager, float[] centroids, int[] assignment, Shape shape) {
    this.centroids = manager.create(centroids);
    this.assignment = assignment.clone();
    this.places = manager.create(java.util.Arrays.stream(assignment).asLongStream().toArray());
    this.shape = shape;
  }

  @Override
  public NDArray parameter() {
    return centroids;
  }

  @Override
  public NDArray quantized() {
    // The reshaped array is another one: what was taken would stay with the centroids' manager.
    try (NDArray taken = centroids.take(places)) {
      return taken.reshape(shape);
    }
  }

  @Override
  public NDArray gradient(NDArray gradient) {
    float[] each = gradient.toFloatArray();
    double[] sums = new double[(int) centroids.size()];
    for (int i = 0; i < each.length; i++) {
      sums[assignment[i]] += each[i];
    }
    float[] rounded = new float[sums.length];
    for (int c = 0; c < sums.length; c++) {
      rounded[c] = (float) sums[c];
    }
    return gradient.getManager().create(rounded);
  }

  @Override
  public float[] values() {
    float[] values = centroids.toFloatArray();
    float[] weights = new float[assignment.length];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = values[assignment[i]];
    }
    return weights;
  }
}
