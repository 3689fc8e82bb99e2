package dev.haq.quantizer.quant;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.BitWidth;
import dev.haq.quantizer.quant.Numerics.ActivationForm;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class OutputErrorsTest {
  private static final LinearQuantizer COARSE = new LinearQuantizer(0.5f, 0, 15);
  private static final LinearQuantizer FINE = new LinearQuantizer(0.1f, 0, 15);

  @Test
  void errorsAreVariancesOfWhatTheOutputsChangeBy() {
    Random random = new Random(1);
    int groups = 2;
    int perOutput = 3;
    int outputs = 4;
    float[] weights = gaussians(random, outputs * perOutput);
    List<LinearQuantizer> grids = List.of(COARSE, FINE);
    OutputErrors errors = new OutputErrors(weights, outputs, groups, grids);
    int patches = 50;
    double[][][] changes = new double[grids.size()][outputs][patches];
    for (int p = 0; p < patches; p++) {
      float[] patch = gaussians(random, groups * perOutput);
      errors.add(patch);
      for (int g = 0; g < grids.size(); g++) {
        for (int o = 0; o < outputs; o++) {
          for (int i = 0; i < perOutput; i++) {
            float x = patch[o / (outputs / groups) * perOutput + i];
            changes[g][o][p] += weights[o * perOutput + i] * (grids.get(g).quantize(x) - x);
          }
        }
      }
    }
    for (int g = 0; g < grids.size(); g++) {
      double expected = 0;
      for (double[] change : changes[g]) {
        expected += variance(change);
      }
      assertEquals(expected, errors.errors()[g], 1e-5 * expected);
    }
  }

  @Test
  void aConstantShiftIsNoError() {
    OutputErrors errors = new OutputErrors(new float[] {2}, 1, 1, List.of(COARSE));
    for (int i = 0; i < 4; i++) {
      errors.add(new float[] {0.6f});
    }
    assertEquals(0, errors.errors()[0], 1e-9);
  }

  @Test
  void withoutPatchesThereAreNoErrors() {
    OutputErrors errors = new OutputErrors(new float[] {2}, 1, 1, List.of(COARSE, FINE));
    assertArrayEquals(new double[2], errors.errors());
  }

  @Test
  void patchesThatAreNotFiniteAreNotSeen() {
    OutputErrors errors = new OutputErrors(new float[] {2, 1}, 1, 1, List.of(COARSE, FINE));
    OutputErrors same = new OutputErrors(new float[] {2, 1}, 1, 1, List.of(COARSE, FINE));
    for (float value : new float[] {0.3f, 0.7f, 1.9f}) {
      errors.add(new float[] {value, 1});
      same.add(new float[] {value, 1});
      errors.add(new float[] {value, Float.POSITIVE_INFINITY});
      errors.add(new float[] {Float.NaN, value});
    }
    assertArrayEquals(same.errors(), errors.errors());
  }

  /** Few large values that come together weigh more in the output than in the tensor. */
  @Test
  void largeValuesThatComeTogetherAskForAWiderRange() {
    Random random = new Random(2);
    int inputs = 64;
    int patches = 2000;
    float[][] values = new float[patches][inputs];
    SignedHistogram seen = new SignedHistogram(0, 40, Histogram.USUAL_BINS);
    for (int p = 0; p < patches; p++) {
      boolean bright = p % 100 == 0;
      for (int i = 0; i < inputs; i++) {
        values[p][i] = Math.abs((float) random.nextGaussian()) * (bright ? 8 : 1);
        seen.add(values[p][i]);
      }
    }
    List<LinearQuantizer> candidates =
        ActivationRange.widening(seen, true, BitWidth.of(5), ActivationForm.AFFINE);
    assertTrue(candidates.size() > 2);
    float[] weights = new float[inputs];
    java.util.Arrays.fill(weights, 1);
    OutputErrors errors = new OutputErrors(weights, 1, 1, candidates);
    for (float[] patch : values) {
      errors.add(patch);
    }
    assertTrue(errors.errors()[1] < errors.errors()[0]);
  }

  @Test
  void candidatesGrowFromLeastSquaredErrorToNoClipping() {
    SignedHistogram seen = new SignedHistogram(-1, 20, Histogram.USUAL_BINS);
    Random random = new Random(3);
    for (int i = 0; i < 10_000; i++) {
      seen.add((float) Math.max(-1, Math.min(20, random.nextGaussian())));
    }
    seen.add(20);
    List<LinearQuantizer> candidates =
        ActivationRange.widening(seen, false, BitWidth.of(4), ActivationForm.AFFINE);
    for (int i = 1; i < candidates.size(); i++) {
      assertTrue(candidates.get(i).scale() > candidates.get(i - 1).scale());
    }
    assertEquals(20, candidates.get(candidates.size() - 1).clip(), 1.5);
    assertTrue(candidates.get(0).clip() < 10);
  }

  @Test
  void manyCodesAtOnceAreTheSameCodes() {
    Random random = new Random(4);
    LinearQuantizer grid = new LinearQuantizer(0.37f, -100, 155);
    float[] values = new float[1000];
    for (int i = 0; i < values.length; i++) {
      values[i] = i < 300 ? (i - 150.5f) * grid.scale() : (float) random.nextGaussian() * 60;
    }
    float[] codes = new float[values.length];
    grid.addCodes(values, codes);
    for (int i = 0; i < values.length; i++) {
      assertEquals(grid.code(values[i]), codes[i]);
    }
  }

  private static float[] gaussians(Random random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static double variance(double[] values) {
    double mean = 0;
    double squares = 0;
    for (double value : values) {
      mean += value / values.length;
      squares += value * value / values.length;
    }
    return squares - mean * mean;
  }
}
