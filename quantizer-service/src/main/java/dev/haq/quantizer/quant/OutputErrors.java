package dev.haq.quantizer.quant;

import java.util.List;

/**
 * How much a layer's outputs change when its input is put on one grid or another: the error by
 * which AdaRound judges roundings (Nagel et al. 2020, arXiv:2004.10568, equation 13), here of
 * activations. For each grid the mean over patches of |W (q(x) - x)|^2, less what a constant shift
 * of each output would take away, for the bias can be corrected by that.
 *
 * <p>A tensor's own squared error (see {@link SquaredErrorClip}) takes the errors of all values for
 * independent. Those of rounding are; those of clipping are not, they have one sign and meet in the
 * same patches, so that they weigh more in the output. At 8 bits, where rounding costs little, it
 * clips too much.
 */
public final class OutputErrors {
  private final List<LinearQuantizer> grids;
  private final int groups;
  private final int perOutput;
  private final int outputsPerGroup;
  private final float[] byInput; // [groups][weights of an output][outputs of the group]
  private final double[][] sums; // [grid][output]
  private final double[] squares; // [grid]
  private final float[] errors; // [outputs of the group]
  private long patches;

  /**
   * @param weights [outputs][weights of an output]
   */
  public OutputErrors(float[] weights, int outputs, int groups, List<LinearQuantizer> grids) {
    this.grids = List.copyOf(grids);
    this.groups = groups;
    this.perOutput = weights.length / outputs;
    this.outputsPerGroup = outputs / groups;
    this.byInput = new float[weights.length];
    for (int o = 0; o < outputs; o++) {
      int group = o / outputsPerGroup;
      for (int i = 0; i < perOutput; i++) {
        byInput[(group * perOutput + i) * outputsPerGroup + o % outputsPerGroup] =
            weights[o * perOutput + i];
      }
    }
    this.sums = new double[grids.size()][outputs];
    this.squares = new double[grids.size()];
    this.errors = new float[outputsPerGroup];
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
    for (int g = 0; g < grids.size(); g++) {
      add(patch, grids.get(g), g);
    }
  }

  private void add(float[] patch, LinearQuantizer grid, int index) {
    for (int group = 0; group < groups; group++) {
      java.util.Arrays.fill(errors, 0);
      for (int i = group * perOutput; i < (group + 1) * perOutput; i++) {
        float error = patch[i] == 0 ? 0 : grid.quantize(patch[i]) - patch[i];
        if (error != 0) {
          int row = i * outputsPerGroup;
          for (int o = 0; o < outputsPerGroup; o++) {
            errors[o] += error * byInput[row + o];
          }
        }
      }
      for (int o = 0; o < outputsPerGroup; o++) {
        sums[index][group * outputsPerGroup + o] += errors[o];
        squares[index] += (double) errors[o] * errors[o];
      }
    }
  }

  /**
   * The error of each grid, in the order they were given, summed over outputs; zeros where no patch
   * was seen.
   */
  public double[] errors() {
    double[] all = new double[grids.size()];
    for (int g = 0; g < all.length && patches > 0; g++) {
      double shifts = 0;
      for (double sum : sums[g]) {
        shifts += sum / patches * sum;
      }
      all[g] = Math.max(0, squares[g] - shifts) / patches;
    }
    return all;
  }
}
