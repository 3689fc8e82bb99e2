package dev.haq.quantizer.quant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

final class KlClipThresholdTest {
  @Test
  void aFlatDistributionIsNotClipped() {
    float[] values = new float[20_480];
    for (int i = 0; i < values.length; i++) {
      values[i] = (i + 0.5f) / values.length;
    }
    Histogram histogram = Histogram.of(values, Histogram.USUAL_BINS);
    assertEquals(histogram.max(), KlClipThreshold.of(histogram, 15), 0.02);
  }

  @Test
  void aLongTailIsClippedTheMoreTheFewerLevels() {
    Random random = new Random(3);
    float[] values = new float[100_000];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    Histogram histogram = Histogram.of(values, Histogram.USUAL_BINS);
    double three = KlClipThreshold.of(histogram, 3);
    double fifteen = KlClipThreshold.of(histogram, 15);
    assertTrue(three < 0.8 * histogram.max(), () -> "3 levels clip at " + three);
    assertTrue(three <= fifteen && fifteen <= histogram.max());
  }

  @Test
  void valuesClosePackedAroundZeroDoNotPullTheThresholdDown() {
    float[] values = new float[1200];
    Random random = new Random(5);
    for (int i = 0; i < values.length; i++) {
      values[i] = i < 800 ? 1e-6f * random.nextFloat() : random.nextFloat();
    }
    assertTrue(KlClipThreshold.of(Histogram.of(values, 512), 127) > 0.5);
  }

  @Test
  void aTensorOfZerosHasTheThresholdZero() {
    assertEquals(0, KlClipThreshold.of(Histogram.of(new float[10], 512), 7));
  }
}
