package dev.haq.quantizer.quant;

import dev.haq.model.HaqException;
import java.util.List;

/**
 * Means and second moments of what a layer's weights are multiplied with, over calibration images:
 * E[x] and E[x x^T], where x is the patch of the input that one output value is computed from. The
 * second moments are, but for a factor, the Hessian of the squared error of the layer's output in
 * its weights (Frantar et al. 2022, arXiv:2210.17323, section 3).
 *
 * <p>Departure: weights more than {@value #BLOCK} apart in a group are taken to be independent, so
 * that layers with many inputs need neither the memory nor the time of one large matrix. Sums are
 * kept in the order in which patches are added: the same patches give the same moments.
 */
public final class InputMoments {
  /** Rows and columns of the largest matrix that is kept: 4 MiB. */
  static final int BLOCK = 1024;

  /**
   * Patches that are added in single precision. Codes are at most 255, and their sums below 2^24
   * exact in it; products lose what is below 2^-8 of their mean, at the worst.
   */
  private static final int PATCHES_OF_SINGLE_PRECISION = 1 << 16;

  private final int groups;
  private final int perOutput;
  private final int blockSize;
  private final double[] sums;
  private final List<LinearQuantizer> grids;
  private final double[][] quantizedSums;
  private final float[][] codeSums; // of the newest patches
  private final float[][] products; // of the newest patches
  private final double[][] earlierProducts; // null while there are no others
  private long patches;

  /**
   * @param groups of the layer: 1, or as many as its convolution has
   * @param perOutput weights of an output
   * @param kernelArea weights of an input channel, which stay in one block
   * @param secondOrder whether second moments are wanted
   * @param grids on which means of the quantized inputs are wanted
   */
  public InputMoments(
      int groups, int perOutput, int kernelArea, boolean secondOrder, List<LinearQuantizer> grids) {
    this.groups = groups;
    this.perOutput = perOutput;
    this.blockSize = Math.min(perOutput, Math.max(1, BLOCK / kernelArea) * kernelArea);
    this.sums = new double[groups * perOutput];
    this.grids = List.copyOf(grids);
    this.quantizedSums = new double[grids.size()][groups * perOutput];
    this.codeSums = new float[grids.size()][groups * perOutput];
    this.products = new float[secondOrder ? groups * blocks() : 0][];
    this.earlierProducts = new double[products.length][];
    for (int i = 0; i < products.length; i++) {
      int size = size(i % blocks());
      products[i] = new float[size * size];
    }
  }

  int blocks() {
    return (perOutput + blockSize - 1) / blockSize;
  }

  int blockSize() {
    return blockSize;
  }

  int size(int block) {
    return Math.min(blockSize, perOutput - block * blockSize);
  }

  public int groups() {
    return groups;
  }

  public int perOutput() {
    return perOutput;
  }

  /** How many patches were added. */
  public long patches() {
    return patches;
  }

  /**
   * Passes over a patch that is not finite.
   *
   * @param patch [groups][weights of an output]
   */
  public void add(float[] patch) {
    if (!Patches.isFinite(patch)) {
      return;
    }
    patches++;
    for (int i = 0; i < sums.length; i++) {
      sums[i] += patch[i];
    }
    for (int g = 0; g < grids.size(); g++) {
      grids.get(g).addCodes(patch, codeSums[g]);
    }
    for (int p = 0; p < products.length; p++) {
      int from = p / blocks() * perOutput + p % blocks() * blockSize;
      addProducts(products[p], patch, from, size(p % blocks()));
    }
    if (patches % PATCHES_OF_SINGLE_PRECISION == 0) {
      moveCodeSums();
      moveProducts();
    }
  }

  /** Adds up products in double precision before single precision would no longer see new ones. */
  private void moveProducts() {
    for (int p = 0; p < products.length; p++) {
      float[] newest = products[p];
      if (earlierProducts[p] == null) {
        earlierProducts[p] = new double[newest.length];
      }
      for (int i = 0; i < newest.length; i++) {
        earlierProducts[p][i] += newest[i];
        newest[i] = 0;
      }
    }
  }

  /** Adds up sums of codes in double precision before single precision would round them. */
  private void moveCodeSums() {
    for (int g = 0; g < codeSums.length; g++) {
      for (int i = 0; i < sums.length; i++) {
        quantizedSums[g][i] += (double) codeSums[g][i] * grids.get(g).scale();
        codeSums[g][i] = 0;
      }
    }
  }

  /** The upper triangle of x x^T; zeros, which ReLU makes many of, are passed over. */
  private static void addProducts(float[] into, float[] patch, int from, int size) {
    for (int i = 0; i < size; i++) {
      float value = patch[from + i];
      if (value != 0) {
        int row = i * size;
        for (int j = i; j < size; j++) {
          into[row + j] += value * patch[from + j];
        }
      }
    }
  }

  /** E[x], [groups][weights of an output]. */
  public double[] means() {
    return divided(sums);
  }

  /** E[q(x)], the same, of one of the grids asked for. */
  public synchronized double[] means(LinearQuantizer grid) {
    int index = grids.indexOf(grid);
    if (index < 0) {
      throw HaqException.invalid("no means were taken on the grid %s", grid);
    }
    moveCodeSums();
    return divided(quantizedSums[index]);
  }

  private double[] divided(double[] totals) {
    double[] means = new double[totals.length];
    for (int i = 0; i < means.length; i++) {
      means[i] = patches > 0 ? totals[i] / patches : 0;
    }
    return means;
  }

  /** E[x x^T] of one group's block, [size][size], its upper triangle. */
  double[] products(int group, int block) {
    float[] newest = products[group * blocks() + block];
    double[] earlier = earlierProducts[group * blocks() + block];
    double[] mean = new double[newest.length];
    for (int i = 0; i < mean.length; i++) {
      double sum = newest[i] + (earlier == null ? 0 : earlier[i]);
      mean[i] = patches > 0 ? sum / patches : 0;
    }
    return mean;
  }
}
