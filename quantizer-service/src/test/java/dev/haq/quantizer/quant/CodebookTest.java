package dev.haq.quantizer.quant;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.BitWidth;
import dev.haq.model.Recipe.CodebookStart;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class CodebookTest {
  private static float[] weights(int count) {
    Random random = new Random(3);
    float[] weights = new float[count];
    for (int i = 0; i < count; i++) {
      weights[i] = (float) (random.nextGaussian() * (i % 10 == 0 ? 3 : 1));
    }
    return weights;
  }

  private static double squaredError(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (a[i] - b[i]) * (double) (a[i] - b[i]);
    }
    return sum;
  }

  @Test
  void everyWeightGetsTheNearestCentroid() {
    float[] weights = weights(2000);
    for (CodebookStart start : CodebookStart.values()) {
      Codebook codebook = Codebook.of(weights, BitWidth.of(4), start);
      for (float weight : weights) {
        float chosen = codebook.centroids()[codebook.code(weight)];
        for (float other : codebook.centroids()) {
          assertTrue(Math.abs(weight - chosen) <= Math.abs(weight - other));
        }
      }
    }
  }

  @Test
  void everyCentroidIsTheMeanOfItsWeights() {
    float[] weights = weights(2000);
    for (CodebookStart start : CodebookStart.values()) {
      for (int bits = 2; bits <= 6; bits++) {
        Codebook codebook = Codebook.of(weights, BitWidth.of(bits), start);
        double[] sums = new double[codebook.centroids().length];
        int[] counts = new int[sums.length];
        for (float weight : weights) {
          sums[codebook.code(weight)] += weight;
          counts[codebook.code(weight)]++;
        }
        for (int k = 0; k < sums.length; k++) {
          assertEquals(sums[k] / counts[k], codebook.centroids()[k], 1e-4);
        }
      }
    }
  }

  @Test
  void centroidsLoseLessThanAnyLinearGridOfAsManyValues() {
    float[] weights = weights(2000);
    for (int bits = 2; bits <= 6; bits++) {
      BitWidth width = BitWidth.of(bits);
      double clip =
          SquaredErrorClip.of(weights, 0, weights.length, LinearQuantizer.levels(width, true));
      LinearQuantizer grid = LinearQuantizer.symmetric(width, clip);
      float[] linear = new float[weights.length];
      for (int i = 0; i < linear.length; i++) {
        linear[i] = grid.quantize(weights[i]);
      }
      float[] shared = Codebook.of(weights, width, CodebookStart.PLUS_PLUS).shared(weights);
      assertTrue(
          squaredError(weights, shared) < squaredError(weights, linear), "at " + bits + " bits");
    }
  }

  @Test
  void fewDistinctWeightsAreKeptExactly() {
    float[] weights = {1, -2, 1, 0, 0, -2, 3.5f, 1};
    for (CodebookStart start : CodebookStart.values()) {
      Codebook codebook = Codebook.of(weights, BitWidth.of(8), start);
      assertArrayEquals(weights, codebook.shared(weights));
    }
    assertArrayEquals(
        new float[] {-2, 0, 1, 3.5f},
        Codebook.of(weights, BitWidth.of(2), CodebookStart.PLUS_PLUS).centroids());
  }

  @Test
  void asManyDistinctWeightsAsThereAreValuesAreTheCodebookWhateverTheStart() {
    // An even start has two of these in one cell, and none in others.
    float[] weights = {0.11f, -1, 0.1f, 3, 0.1f, -1, 0.11f, 3};
    for (CodebookStart start : CodebookStart.values()) {
      Codebook codebook = Codebook.of(weights, BitWidth.of(2), start);
      assertArrayEquals(new float[] {-1, 0.1f, 0.11f, 3}, codebook.centroids(), start.name());
      assertArrayEquals(weights, codebook.shared(weights), start.name());
    }
  }

  @Test
  void theSameWeightsHaveTheSameCodebook() {
    float[] weights = weights(500);
    assertArrayEquals(
        Codebook.of(weights, BitWidth.of(3), CodebookStart.PLUS_PLUS).centroids(),
        Codebook.of(weights, BitWidth.of(3), CodebookStart.PLUS_PLUS).centroids());
  }
}
