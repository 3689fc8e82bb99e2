package dev.haq.quantizer.quant;

import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * Rounds weights one after the other, each time moving those not yet rounded so that they make up
 * for the error in the layer's output: Optimal Brain Quantizer in the fixed order of GPTQ (Frantar
 * et al. 2022, arXiv:2208.11580 and arXiv:2210.17323, algorithm 1).
 *
 * <p>With H = E[x x^T] damped and H^-1 = U^T U, U upper triangular: for i in order, the code of w_i
 * is the nearest, e = (w_i - q(w_i)) / U_ii, and w_j -= e U_ij for every later j. Weights with the
 * largest H_ii come first, while there are many left to make up for them.
 *
 * <p>U depends on the inputs alone, so it serves all bit-widths; rounding with it costs as many
 * multiplications as the layer has for half as many pixels as an output has weights.
 *
 * <p>Departure: H is damped by more than the paper's hundredth of its mean diagonal where there are
 * few patches for the weights of an output, as of a fully connected layer that sees one patch an
 * image: directions that no patch happened to have would otherwise be free to err in. And by ten
 * times more, again and again, while it has no factor for rounding in its sums; where none helps,
 * as where they are not finite, the nearest codes are taken.
 */
public final class SecondOrderRounding implements WeightQuantizer.Rounding {
  private static final double DAMPING = 0.01;

  /** How often damping is multiplied by ten: in the end the diagonal outweighs all else. */
  private static final int MOST_DAMPINGS = 8;

  /** Patches for each weight of an output below which damping grows. */
  private static final double ENOUGH_PATCHES = 10;

  private final int outputsPerGroup;
  private final int perOutput;
  private final int blockSize;
  private final int blocks;
  private final Factor[] factors;

  /**
   * @param order in which weights are rounded
   * @param upper U, row-major
   */
  record Factor(int[] order, float[] upper) {}

  /**
   * @param outputs of the layer
   * @param checkpoint called before every block; throws when nobody waits for it any more
   */
  public SecondOrderRounding(InputMoments moments, int outputs, Runnable checkpoint) {
    this.outputsPerGroup = outputs / moments.groups();
    this.perOutput = moments.perOutput();
    this.blockSize = moments.blockSize();
    this.blocks = moments.blocks();
    this.factors = new Factor[moments.groups() * blocks];
    for (int group = 0; group < moments.groups(); group++) {
      for (int block = 0; block < blocks; block++) {
        checkpoint.run();
        factors[group * blocks + block] =
            factor(moments.products(group, block), moments.size(block), moments.patches());
      }
    }
  }

  /**
   * @param products E[x x^T], row-major, its upper triangle
   */
  static Factor factor(double[] products, int size, long patches) {
    int[] order =
        IntStream.range(0, size)
            .boxed()
            .sorted(Comparator.comparingDouble((Integer i) -> -products[i * size + i]))
            .mapToInt(Integer::intValue)
            .toArray();
    double trace = 0;
    for (int i = 0; i < size; i++) {
      trace += products[i * size + i];
    }
    double damping =
        Math.max(DAMPING, size / (ENOUGH_PATCHES * Math.max(1, patches))) * trace / size;
    damping = damping > 0 ? damping : 1;
    for (int i = 0; i < MOST_DAMPINGS && Double.isFinite(damping); i++, damping *= 10) {
      double[][] hessian = damped(products, order, damping);
      if (upperCholesky(hessian)) {
        float[] upper = inverse(hessian);
        if (isUsable(upper, size)) {
          return new Factor(order, upper);
        }
      }
    }
    return new Factor(order, unit(size));
  }

  private static double[][] damped(double[] products, int[] order, double damping) {
    int size = order.length;
    double[][] hessian = new double[size][size];
    for (int i = 0; i < size; i++) {
      for (int j = i; j < size; j++) {
        int a = Math.min(order[i], order[j]);
        int b = Math.max(order[i], order[j]);
        hessian[i][j] = products[a * size + b];
      }
      hessian[i][i] += damping;
    }
    return hessian;
  }

  /** Whether errors can be divided by its diagonal, and what becomes of that is a number. */
  private static boolean isUsable(float[] upper, int size) {
    for (int i = 0; i < size; i++) {
      if (!(upper[i * size + i] > 0)) {
        return false;
      }
    }
    for (float value : upper) {
      if (!Float.isFinite(value)) {
        return false;
      }
    }
    return true;
  }

  /** The factor by which no weight makes up for another. */
  private static float[] unit(int size) {
    float[] unit = new float[size * size];
    for (int i = 0; i < size; i++) {
      unit[i * size + i] = 1;
    }
    return unit;
  }

  /**
   * M upper triangular with M M^T = H, in place. Found from the last row to the first; then H^-1 =
   * (M^-1)^T M^-1, so that U is M^-1.
   *
   * @return whether there is one: H is positive definite
   */
  private static boolean upperCholesky(double[][] h) {
    int size = h.length;
    for (int k = size - 1; k >= 0; k--) {
      if (!(h[k][k] > 0 && Double.isFinite(h[k][k]))) {
        return false;
      }
      double pivot = Math.sqrt(h[k][k]);
      h[k][k] = pivot;
      for (int i = 0; i < k; i++) {
        h[i][k] /= pivot;
      }
      double[] column = new double[k];
      for (int i = 0; i < k; i++) {
        column[i] = h[i][k];
      }
      for (int i = 0; i < k; i++) {
        double factor = column[i];
        double[] row = h[i];
        if (factor != 0) {
          for (int j = i; j < k; j++) {
            row[j] -= factor * column[j];
          }
        }
      }
    }
    return true;
  }

  /** The inverse of an upper triangular matrix, row-major. */
  private static float[] inverse(double[][] m) {
    int size = m.length;
    float[] inverse = new float[size * size];
    double[] row = new double[size];
    for (int i = 0; i < size; i++) {
      java.util.Arrays.fill(row, i, size, 0);
      row[i] = 1;
      for (int k = i; k < size; k++) {
        double value = row[k] / m[k][k];
        row[k] = value;
        if (value != 0) {
          double[] other = m[k];
          for (int j = k + 1; j < size; j++) {
            row[j] -= value * other[j];
          }
        }
      }
      for (int j = i; j < size; j++) {
        inverse[i * size + j] = (float) row[j];
      }
    }
    return inverse;
  }

  @Override
  public void codes(float[] weights, int output, LinearQuantizer quantizer, int[] codes) {
    int group = output / outputsPerGroup;
    for (int block = 0; block < blocks; block++) {
      Factor factor = factors[group * blocks + block];
      int from = block * blockSize;
      int size = factor.order().length;
      float[] upper = factor.upper();
      float[] left = new float[size];
      for (int i = 0; i < size; i++) {
        left[i] = weights[output * perOutput + from + factor.order()[i]];
      }
      for (int i = 0; i < size; i++) {
        int code = quantizer.code(left[i]);
        codes[from + factor.order()[i]] = code;
        int row = i * size;
        float error = (left[i] - code * quantizer.scale()) / upper[row + i];
        for (int j = i + 1; j < size; j++) {
          left[j] -= error * upper[row + j];
        }
      }
    }
  }
}
