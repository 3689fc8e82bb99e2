package dev.haq.quantizer.quant;

import dev.haq.model.BitWidth;
import dev.haq.model.HaqException;
import dev.haq.model.Recipe.CodebookStart;
import java.util.Arrays;
import java.util.Random;

/**
 * Weights that share 2^bits values, the centroids of k-means over a layer's weights (Han et al.
 * 2016, <i>Deep Compression</i>, arXiv:1510.00149, section 3; HAQ paper, section 3.4, for the model
 * size). Numbers on a line make Lloyd's iterations cheap: sorted once, every cluster is a run of
 * them, and running sums give its mean. A layer of no more distinct weights than a codebook has
 * values keeps them as they are, as one does that was trained with shared values.
 *
 * @param centroids ascending, at most 2^bits, fewer where the layer has fewer distinct weights
 */
public record Codebook(float[] centroids) {
  /** Lloyd's iterations end earlier when nothing moves; on trained layers after 20 to 200. */
  private static final int MOST_ITERATIONS = 300;

  /** Of the draws, so that a layer's codebook is always the same. */
  private static final long SEED = 1;

  /**
   * @param bits 1 to 16
   * @param from where the centroids start
   */
  public static Codebook of(float[] weights, BitWidth bits, CodebookStart from) {
    if (bits.isFloat()) {
      throw HaqException.invalid("a codebook needs a bit-width");
    }
    float[] sorted = weights.clone();
    Arrays.sort(sorted);
    int count = 1 << bits.bits();
    float[] distinct = distinct(sorted, count);
    if (distinct.length <= count) {
      return new Codebook(distinct);
    }
    double[] start =
        from == CodebookStart.LINEAR
            ? evenly(sorted[0], sorted[sorted.length - 1], count)
            : plusPlus(sorted, count);
    double[] ends = lloyd(sorted, start);
    float[] centroids = new float[ends.length];
    for (int i = 0; i < ends.length; i++) {
      centroids[i] = (float) ends[i];
    }
    return new Codebook(centroids);
  }

  /** The first values that differ, ascending, one more than {@code most} where there are more. */
  private static float[] distinct(float[] sorted, int most) {
    float[] values = new float[Math.min(sorted.length, most + 1)];
    int found = 0;
    for (int i = 0; i < sorted.length && found < values.length; i++) {
      if (found == 0 || sorted[i] != values[found - 1]) {
        values[found++] = sorted[i];
      }
    }
    return Arrays.copyOf(values, found);
  }

  private static double[] evenly(double low, double high, int count) {
    double[] values = new double[count];
    for (int i = 0; i < count; i++) {
      values[i] = low + (high - low) * i / (count - 1);
    }
    return values;
  }

  private static double[] plusPlus(float[] sorted, int count) {
    Random random = new Random(SEED);
    double[] centroids = new double[count];
    double[] squaredDistance = new double[sorted.length];
    Arrays.fill(squaredDistance, Double.POSITIVE_INFINITY);
    int chosen = random.nextInt(sorted.length);
    for (int k = 0; k < count; k++) {
      centroids[k] = sorted[chosen];
      double sum = 0;
      for (int i = 0; i < sorted.length; i++) {
        double distance = sorted[i] - centroids[k];
        squaredDistance[i] = Math.min(squaredDistance[i], distance * distance);
        sum += squaredDistance[i];
      }
      if (sum == 0) {
        return Arrays.copyOf(centroids, k + 1);
      }
      double drawn = random.nextDouble() * sum;
      chosen = 0;
      while (chosen < sorted.length - 1 && drawn >= squaredDistance[chosen]) {
        drawn -= squaredDistance[chosen++];
      }
    }
    return centroids;
  }

  private static double[] lloyd(float[] sorted, double[] start) {
    double[] sums = new double[sorted.length + 1];
    for (int i = 0; i < sorted.length; i++) {
      sums[i + 1] = sums[i] + sorted[i];
    }
    double[] centroids = start.clone();
    Arrays.sort(centroids);
    for (int iteration = 0; iteration < MOST_ITERATIONS; iteration++) {
      double[] moved = new double[centroids.length];
      int filled = 0;
      int from = 0;
      for (int k = 0; k < centroids.length; k++) {
        int to =
            k == centroids.length - 1
                ? sorted.length
                : firstAbove(sorted, from, (centroids[k] + centroids[k + 1]) / 2);
        if (to > from) {
          moved[filled++] = (sums[to] - sums[from]) / (to - from);
        }
        from = to;
      }
      moved = Arrays.copyOf(moved, filled);
      if (Arrays.equals(moved, centroids)) {
        break;
      }
      centroids = moved;
    }
    return centroids;
  }

  /** Index of the first value above {@code limit}, from {@code from} on. */
  private static int firstAbove(float[] sorted, int from, double limit) {
    int low = from;
    int high = sorted.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (sorted[middle] > limit) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }

  /** Index of the centroid nearest to a weight. */
  public int code(float weight) {
    int place = Arrays.binarySearch(centroids, weight);
    if (place >= 0) {
      return place;
    }
    int above = -place - 1;
    if (above == 0) {
      return 0;
    }
    if (above == centroids.length) {
      return above - 1;
    }
    return weight - centroids[above - 1] <= centroids[above] - weight ? above - 1 : above;
  }

  /** Every weight replaced by its centroid. */
  public float[] shared(float[] weights) {
    float[] values = new float[weights.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = centroids[code(weights[i])];
    }
    return values;
  }
}
