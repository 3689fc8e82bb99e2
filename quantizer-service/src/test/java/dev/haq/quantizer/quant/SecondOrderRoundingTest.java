package dev.haq.quantizer.quant;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.BitWidth;
import dev.haq.model.FeatureMap;
import dev.haq.model.Layer;
import dev.haq.model.Window;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class SecondOrderRoundingTest {
  private static final int INPUTS = 24;
  private static final int PATCHES = 600;

  /** Inputs that go together, as neighbouring pixels and channels do. */
  private static float[][] patches(int size) {
    Random random = new Random(9);
    float[][] patches = new float[PATCHES][size];
    for (float[] patch : patches) {
      double common = random.nextGaussian();
      for (int i = 0; i < size; i++) {
        patch[i] = (float) Math.max(0, common + (0.2 + 0.05 * i) * random.nextGaussian());
      }
    }
    return patches;
  }

  private static InputMoments moments(int groups, int perOutput, float[][] patches) {
    InputMoments moments = new InputMoments(groups, perOutput, 1, true, List.of());
    for (float[] patch : patches) {
      moments.add(patch);
    }
    return moments;
  }

  private static float[] weights(int count) {
    Random random = new Random(2);
    float[] weights = new float[count];
    for (int i = 0; i < count; i++) {
      weights[i] = (float) random.nextGaussian();
    }
    return weights;
  }

  /** Of one output whose inputs begin at {@code from}. */
  private static double outputError(
      float[][] patches, int from, float[] weights, int[] codes, LinearQuantizer quantizer) {
    double sum = 0;
    for (float[] patch : patches) {
      double difference = 0;
      for (int i = 0; i < codes.length; i++) {
        difference += (weights[i] - codes[i] * quantizer.scale()) * patch[from + i];
      }
      sum += difference * difference;
    }
    return sum / patches.length;
  }

  /**
   * The algorithm as it is written down for one weight at a time (Optimal Brain Surgeon): after
   * each, the inverse of what is left of the Hessian is computed anew.
   */
  private static int[] plainly(double[][] hessian, float[] weights, LinearQuantizer quantizer) {
    int n = weights.length;
    List<Integer> order =
        java.util.stream.IntStream.range(0, n)
            .boxed()
            .sorted(java.util.Comparator.comparingDouble(i -> -hessian[i][i]))
            .toList();
    double[] left = new double[n];
    for (int i = 0; i < n; i++) {
      left[i] = weights[i];
    }
    int[] codes = new int[n];
    for (int at = 0; at < n; at++) {
      List<Integer> open = order.subList(at, n);
      double[][] part = new double[open.size()][open.size()];
      for (int i = 0; i < open.size(); i++) {
        for (int j = 0; j < open.size(); j++) {
          part[i][j] = hessian[open.get(i)][open.get(j)];
        }
      }
      double[][] inverse = inverse(part);
      int q = open.get(0);
      codes[q] = quantizer.code((float) left[q]);
      double error = (left[q] - codes[q] * quantizer.scale()) / inverse[0][0];
      for (int j = 0; j < open.size(); j++) {
        left[open.get(j)] -= error * inverse[0][j];
      }
    }
    return codes;
  }

  /** By Gauss and Jordan. */
  private static double[][] inverse(double[][] matrix) {
    int n = matrix.length;
    double[][] a = new double[n][2 * n];
    for (int i = 0; i < n; i++) {
      System.arraycopy(matrix[i], 0, a[i], 0, n);
      a[i][n + i] = 1;
    }
    for (int k = 0; k < n; k++) {
      double pivot = a[k][k];
      for (int j = 0; j < 2 * n; j++) {
        a[k][j] /= pivot;
      }
      for (int i = 0; i < n; i++) {
        double factor = a[i][k];
        for (int j = 0; i != k && j < 2 * n; j++) {
          a[i][j] -= factor * a[k][j];
        }
      }
    }
    double[][] inverse = new double[n][n];
    for (int i = 0; i < n; i++) {
      System.arraycopy(a[i], n, inverse[i], 0, n);
    }
    return inverse;
  }

  @Test
  void codesAreThoseOfThePlainAlgorithm() {
    float[][] patches = patches(INPUTS);
    double[][] hessian = new double[INPUTS][INPUTS];
    double trace = 0;
    for (float[] patch : patches) {
      for (int i = 0; i < INPUTS; i++) {
        for (int j = 0; j < INPUTS; j++) {
          hessian[i][j] += (double) patch[i] * patch[j] / PATCHES;
        }
      }
    }
    for (int i = 0; i < INPUTS; i++) {
      trace += hessian[i][i];
    }
    for (int i = 0; i < INPUTS; i++) {
      hessian[i][i] += 0.01 * trace / INPUTS;
    }
    SecondOrderRounding rounding =
        new SecondOrderRounding(moments(1, INPUTS, patches), 8, () -> {});
    float[] weights = weights(8 * INPUTS);
    for (int bits = 2; bits <= 8; bits++) {
      LinearQuantizer quantizer = LinearQuantizer.symmetric(BitWidth.of(bits), 2);
      for (int o = 0; o < 8; o++) {
        int[] codes = new int[INPUTS];
        rounding.codes(weights, o, quantizer, codes);
        float[] row = java.util.Arrays.copyOfRange(weights, o * INPUTS, (o + 1) * INPUTS);
        assertArrayEquals(plainly(hessian, row, quantizer), codes);
      }
    }
  }

  @Test
  void outputsChangeLessThanWithTheNearestCodes() {
    float[][] patches = patches(2 * INPUTS);
    SecondOrderRounding rounding =
        new SecondOrderRounding(moments(2, INPUTS, patches), 4, () -> {});
    float[] weights = weights(4 * INPUTS);
    LinearQuantizer quantizer = LinearQuantizer.symmetric(BitWidth.of(4), 2.5);
    double secondOrder = 0;
    double nearestError = 0;
    for (int o = 0; o < 4; o++) {
      int[] codes = new int[INPUTS];
      int[] nearest = new int[INPUTS];
      rounding.codes(weights, o, quantizer, codes);
      WeightQuantizer.Rounding.NEAREST.codes(weights, o, quantizer, nearest);
      float[] row = java.util.Arrays.copyOfRange(weights, o * INPUTS, (o + 1) * INPUTS);
      int from = o / 2 * INPUTS;
      secondOrder += outputError(patches, from, row, codes, quantizer);
      nearestError += outputError(patches, from, row, nearest, quantizer);
    }
    assertTrue(secondOrder < 0.7 * nearestError, secondOrder + " against " + nearestError);
  }

  @Test
  void withoutAnyInputTheNearestCodesAreTaken() {
    SecondOrderRounding rounding =
        new SecondOrderRounding(new InputMoments(1, INPUTS, 1, true, List.of()), 1, () -> {});
    float[] weights = weights(INPUTS);
    LinearQuantizer quantizer = LinearQuantizer.symmetric(BitWidth.of(4), 2);
    int[] codes = new int[INPUTS];
    int[] nearest = new int[INPUTS];
    rounding.codes(weights, 0, quantizer, codes);
    WeightQuantizer.Rounding.NEAREST.codes(weights, 0, quantizer, nearest);
    assertArrayEquals(nearest, codes);
  }

  @Test
  void aLayerOfManyInputsIsRoundedInBlocks() {
    int inputs = InputMoments.BLOCK + 100;
    float[][] patches = patches(inputs);
    SecondOrderRounding rounding =
        new SecondOrderRounding(moments(1, inputs, patches), 1, () -> {});
    float[] weights = weights(inputs);
    LinearQuantizer quantizer = LinearQuantizer.symmetric(BitWidth.of(3), 2);
    int[] codes = new int[inputs];
    int[] nearest = new int[inputs];
    rounding.codes(weights, 0, quantizer, codes);
    WeightQuantizer.Rounding.NEAREST.codes(weights, 0, quantizer, nearest);
    assertTrue(
        outputError(patches, 0, weights, codes, quantizer)
            < outputError(patches, 0, weights, nearest, quantizer));
  }

  @Test
  void biasCorrectionKeepsTheMeanOutput() {
    float[][] patches = patches(INPUTS);
    LinearQuantizer grid = LinearQuantizer.unsigned(BitWidth.of(3), 2);
    InputMoments moments = new InputMoments(2, INPUTS / 2, 1, false, List.of(grid));
    for (float[] patch : patches) {
      moments.add(patch);
    }
    float[] weights = weights(4 * INPUTS / 2);
    LinearQuantizer coarse = LinearQuantizer.symmetric(BitWidth.of(3), 2);
    float[] quantized = new float[weights.length];
    for (int i = 0; i < weights.length; i++) {
      quantized[i] = coarse.quantize(weights[i]);
    }
    float[] bias = {1, -1, 0.5f, 0};
    float[] corrected =
        BiasCorrection.corrected(bias, 2, weights, quantized, moments.means(), moments.means(grid));
    for (int o = 0; o < 4; o++) {
      double exact = 0;
      double rough = 0;
      for (float[] patch : patches) {
        for (int i = 0; i < INPUTS / 2; i++) {
          float x = patch[o / 2 * INPUTS / 2 + i];
          exact += weights[o * INPUTS / 2 + i] * x;
          rough += quantized[o * INPUTS / 2 + i] * grid.quantize(x);
        }
      }
      assertEquals(bias[o] + exact / PATCHES, corrected[o] + rough / PATCHES, 1e-4);
    }
  }

  @Test
  void patchesAreWhatAConvolutionReads() {
    FeatureMap in = new FeatureMap(6, 5);
    Window window = new Window(3, 2, 2, 1, 1, 2, 1, 0, 1, 1);
    FeatureMap out = new FeatureMap(3, 4);
    Layer layer = new Layer.Conv2d("c", 4, 2, 2, window, in, out, 0);
    float[] image = weights(4 * 30);
    Patches patches = new Patches(layer);
    assertEquals(12, patches.count());
    float[] patch = new float[patches.size()];
    for (int y = 0; y < 3; y++) {
      for (int x = 0; x < 4; x++) {
        patches.read(image, y * 4 + x, patch);
        for (int c = 0; c < 4; c++) {
          for (int i = 0; i < 3; i++) {
            for (int j = 0; j < 2; j++) {
              int row = y * 2 + i - 1;
              int column = x + j * 2;
              boolean inside = row >= 0 && row < 6 && column < 5;
              assertEquals(inside ? image[c * 30 + row * 5 + column] : 0, patch[c * 6 + i * 2 + j]);
            }
          }
        }
      }
    }
  }

  @Test
  void productsOfMorePatchesThanSinglePrecisionCanCountKeepTheirMean() {
    InputMoments moments = new InputMoments(1, 1, 1, true, List.of());
    float[] patch = {1};
    for (int i = 0; i < 1 << 25; i++) {
      moments.add(patch);
    }
    assertEquals(1, moments.products(0, 0)[0], 0);
  }

  @Test
  void productsThatOverflowLeaveEveryWeightItsNearestCode() {
    float[][] patches = patches(INPUTS);
    for (float[] patch : patches) {
      patch[3] = 1e25f;
      patch[5] = -1e25f;
    }
    assertNearest(new SecondOrderRounding(moments(1, INPUTS, patches), 1, () -> {}));
  }

  @Test
  void productsWithoutAFactorAreDampedUntilThereIsOne() {
    // No patches have products of two inputs above those of each with itself.
    float[] upper = SecondOrderRounding.factor(new double[] {1, 5, 0, 1}, 2, 1000).upper();
    assertTrue(upper[0] > 0 && upper[3] > 0 && Float.isFinite(upper[0] / upper[3]));
    assertTrue(upper[1] < 0, "what goes together makes up for each other");
  }

  private static void assertNearest(SecondOrderRounding rounding) {
    float[] weights = weights(INPUTS);
    LinearQuantizer quantizer = LinearQuantizer.symmetric(BitWidth.of(4), 2);
    int[] codes = new int[INPUTS];
    rounding.codes(weights, 0, quantizer, codes);
    for (int i = 0; i < INPUTS; i++) {
      assertEquals(quantizer.code(weights[i]), codes[i]);
    }
  }
}
