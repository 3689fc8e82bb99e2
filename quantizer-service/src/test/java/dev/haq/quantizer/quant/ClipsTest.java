package dev.haq.quantizer.quant;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.BitWidth;
import dev.haq.model.Recipe.Clip;
import dev.haq.model.Recipe.WeightScales;
import dev.haq.quantizer.quant.Numerics.ActivationForm;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Every way to choose a clip threshold, against the plain reading of what it says. */
final class ClipsTest {
  private static float[] gaussian(int count, double shift) {
    Random random = new Random(5);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) (random.nextGaussian() + shift);
    }
    return values;
  }

  private static double squaredError(float[] values, LinearQuantizer quantizer) {
    double sum = 0;
    for (float value : values) {
      double error = value - quantizer.quantize(value);
      sum += error * error;
    }
    return sum / values.length;
  }

  private static SignedHistogram histogram(float[] values) {
    float smallest = Float.POSITIVE_INFINITY;
    float largest = Float.NEGATIVE_INFINITY;
    for (float value : values) {
      smallest = Math.min(smallest, value);
      largest = Math.max(largest, value);
    }
    SignedHistogram histogram = new SignedHistogram(smallest, largest, Histogram.USUAL_BINS);
    for (float value : values) {
      histogram.add(value);
    }
    return histogram;
  }

  @Test
  void noThresholdHasALowerSquaredErrorThanTheOneFound() {
    float[] values = gaussian(3000, 0);
    for (int bits = 2; bits <= 8; bits++) {
      BitWidth width = BitWidth.of(bits);
      double clip =
          SquaredErrorClip.of(values, 0, values.length, LinearQuantizer.levels(width, true));
      double found = squaredError(values, LinearQuantizer.symmetric(width, clip));
      double largest = MinMax.of(values, 0, values.length);
      for (int i = 1; i <= 300; i++) {
        double other = squaredError(values, LinearQuantizer.symmetric(width, largest * i / 300));
        assertTrue(found <= other * 1.01, "at " + bits + " bits, share " + i / 300.0);
      }
    }
  }

  @Test
  void overAHistogramTheSquaredErrorIsNearlyAsLow() {
    float[] values = gaussian(20_000, 0);
    for (int bits = 2; bits <= 8; bits++) {
      BitWidth width = BitWidth.of(bits);
      int levels = LinearQuantizer.levels(width, true);
      double exact = SquaredErrorClip.of(values, 0, values.length, levels);
      double binned = SquaredErrorClip.of(histogram(values).magnitudes(), levels);
      assertEquals(
          squaredError(values, LinearQuantizer.symmetric(width, exact)),
          squaredError(values, LinearQuantizer.symmetric(width, binned)),
          0.02 * squaredError(values, LinearQuantizer.symmetric(width, exact)),
          "at " + bits + " bits");
    }
  }

  @Test
  void aGaussianOfFourLevelsIsClippedWhereTheLiteratureSays() {
    // Banner et al. 2019, table of optimal thresholds at 4 bits: 2.55 sigma for 16 levels.
    float[] values = gaussian(200_000, 0);
    double clip = SquaredErrorClip.of(histogram(values).magnitudes(), 7);
    assertEquals(2.55, clip, 0.2);
  }

  @Test
  void anUnevenRangeHasALowerSquaredErrorThanAnEvenOne() {
    float[] values = gaussian(20_000, 1.5);
    SignedHistogram seen = histogram(values);
    for (int bits = 3; bits <= 8; bits++) {
      BitWidth width = BitWidth.of(bits);
      LinearQuantizer even =
          ActivationRange.quantizer(
              seen, false, width, Clip.SQUARED_ERROR, ActivationForm.SYMMETRIC);
      LinearQuantizer uneven =
          ActivationRange.quantizer(seen, false, width, Clip.SQUARED_ERROR, ActivationForm.AFFINE);
      assertTrue(
          squaredError(values, uneven) < 0.9 * squaredError(values, even), "at " + bits + " bits");
    }
  }

  @Test
  void minMaxClipsNothing() {
    float[] values = gaussian(500, 1);
    SignedHistogram seen = histogram(values);
    LinearQuantizer affine =
        ActivationRange.quantizer(seen, false, BitWidth.of(8), Clip.MIN_MAX, ActivationForm.AFFINE);
    for (float value : values) {
      assertEquals(value, affine.quantize(value), 1.01 * affine.scale());
    }
    double[] clips =
        WeightClips.of(
            values,
            new WeightShape(5, 100, 1, false),
            BitWidth.of(4),
            Clip.MIN_MAX,
            WeightScales.PER_CHANNEL);
    for (int o = 0; o < 5; o++) {
      assertEquals(MinMax.of(values, o * 100, 100), clips[o]);
    }
  }

  @Test
  void aPercentileLeavesOutTheRarestMagnitudes() {
    float[] values = gaussian(100_000, 0);
    double clip = PercentileClip.of(Histogram.of(values, Histogram.USUAL_BINS));
    long beyond = 0;
    for (float value : values) {
      beyond += Math.abs(value) > clip ? 1 : 0;
    }
    assertTrue(beyond <= 10 && beyond > 3, beyond + " beyond");
  }

  @Test
  void everyClipOfATensorIsTheSameForAllItsOutputs() {
    float[] weights = gaussian(400, 0);
    WeightShape shape = new WeightShape(4, 100, 1, false);
    for (Clip clip : Clip.values()) {
      double[] clips =
          WeightClips.of(weights, shape, BitWidth.of(4), clip, WeightScales.PER_TENSOR);
      double[] same = new double[4];
      Arrays.fill(same, clips[0]);
      assertArrayEquals(same, clips);
      assertTrue(clips[0] > 0 && clips[0] <= MinMax.of(weights, 0, weights.length) + 1e-6);
    }
  }

  @Test
  void aTensorOfZerosHasAQuantizer() {
    SignedHistogram seen = new SignedHistogram(0, 0, 64);
    for (Clip clip : Clip.values()) {
      for (ActivationForm form : ActivationForm.values()) {
        for (boolean nonNegative : new boolean[] {false, true}) {
          assertEquals(
              0,
              ActivationRange.quantizer(seen, nonNegative, BitWidth.of(4), clip, form).quantize(0));
        }
      }
    }
  }
}
