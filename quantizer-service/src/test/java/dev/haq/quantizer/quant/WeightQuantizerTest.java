package dev.haq.quantizer.quant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.BitWidth;
import dev.haq.model.Recipe.Clip;
import dev.haq.model.Recipe.WeightScales;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class WeightQuantizerTest {
  private static final WeightShape SHAPE = new WeightShape(8, 16, 9, false);

  private static float[] weights() {
    Random random = new Random(11);
    float[] weights = new float[8 * 16 * 9];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = (float) (random.nextGaussian() * (1 + i / 144));
    }
    return weights;
  }

  private static QuantizedWeights quantized(
      float[] weights, WeightShape shape, BitWidth bits, WeightScales scales) {
    double[] clips = WeightClips.of(weights, shape, bits, Clip.KL_DIVERGENCE, scales);
    return WeightQuantizer.quantize(
        weights, shape, bits, clips, scales, WeightQuantizer.Rounding.NEAREST);
  }

  @Test
  void everyWidthUsesNoMoreThanItsLevels() {
    for (int bits = 2; bits <= 8; bits++) {
      QuantizedWeights quantized =
          quantized(weights(), SHAPE, BitWidth.of(bits), WeightScales.PER_CHANNEL);
      long distinct =
          java.util.stream.IntStream.range(0, 144)
              .map(i -> quantized.codes()[i])
              .distinct()
              .count();
      assertTrue(distinct <= (1L << bits) - 1, "at " + bits + " bits");
    }
  }

  @Test
  void eightBitsPerChannelAreCloseToTheWeights() {
    float[] weights = weights();
    QuantizedWeights quantized =
        quantized(weights, SHAPE, BitWidth.of(8), WeightScales.PER_CHANNEL);
    float[] values = quantized.values();
    for (int i = 0; i < weights.length; i++) {
      assertEquals(weights[i], values[i], 0.51 * quantized.scales()[i / 144]);
    }
  }

  @Test
  void neighbouringCodesNeverAddUpToMoreThanSixteenBitsHold() {
    for (int bits = 2; bits <= 8; bits++) {
      QuantizedWeights quantized =
          quantized(weights(), SHAPE, BitWidth.of(bits), WeightScales.PER_CHANNEL);
      assertTrue(quantized.largestPair() * 255 <= Short.MAX_VALUE, "at " + bits + " bits");
    }
  }

  @Test
  void channelsThatAreFilledUpToAnEvenNumberHaveOtherNeighbours() {
    WeightShape shape = new WeightShape(1, 5, 9, false);
    byte[] codes = new byte[45];
    // The first two channels of the second pixel: sixth and seventh in the order of reading.
    codes[1] = 100;
    codes[9 + 1] = 90;
    codes[4 * 9] = 20;
    assertEquals(120, shape.largestPair(codes, 0));
    assertEquals(190, shape.largestPaddedPair(codes, 0));
    WeightShape even = new WeightShape(1, 4, 9, false);
    assertEquals(even.largestPair(codes, 0), even.largestPaddedPair(codes, 0));
  }

  @Test
  void aChannelOfZerosStaysZero() {
    float[] weights = weights();
    java.util.Arrays.fill(weights, 0, 144, 0);
    float[] values = quantized(weights, SHAPE, BitWidth.of(4), WeightScales.PER_CHANNEL).values();
    for (int i = 0; i < 144; i++) {
      assertEquals(0, values[i]);
    }
  }

  @Test
  void oneScaleServesTheWholeTensorWhenAskedFor() {
    float[] scales = quantized(weights(), SHAPE, BitWidth.of(6), WeightScales.PER_TENSOR).scales();
    for (float scale : scales) {
      assertEquals(scales[0], scale);
    }
  }

  @Test
  void theBiasOfADeadChannelFitsItsGrid() {
    float[] weights = weights();
    for (int i = 0; i < 144; i++) {
      weights[i] *= 1e-20f;
    }
    QuantizedWeights quantized =
        quantized(weights, SHAPE, BitWidth.of(8), WeightScales.PER_CHANNEL);
    float[] bias = {3, -2, 0, 0.1f, 1, 2, 3, 4};
    IntegerLayer layer =
        IntegerLayer.of(LinearQuantizer.unsigned(BitWidth.of(8), 6), quantized, bias);
    float[] values = layer.biasValues();
    for (int o = 0; o < bias.length; o++) {
      assertEquals(bias[o], values[o], 0.01);
    }
  }

  @Test
  void theBiasOfAPrunedChannelIsNotRounded() {
    float[] weights = weights();
    java.util.Arrays.fill(weights, 0, 144, 0);
    float[] bias = {0.3f, -2, 0, 0.1f, 1, 2, 3, 4};
    for (int bits = 2; bits <= 8; bits++) {
      QuantizedWeights quantized =
          quantized(weights, SHAPE, BitWidth.of(bits), WeightScales.PER_CHANNEL);
      IntegerLayer layer =
          IntegerLayer.of(LinearQuantizer.unsigned(BitWidth.of(2), 6), quantized, bias);
      assertEquals(0.3f, layer.biasValues()[0], 1e-6, "at " + bits + " bits");
      assertEquals(0, layer.weights().values()[0]);
    }
  }

  @Test
  void theBiasesOfALayerOfZerosAreNotRounded() {
    float[] bias = {0.3f, -2, 0, 0.1f, 1, 2, 3, 4};
    for (WeightScales scales : WeightScales.values()) {
      QuantizedWeights quantized = quantized(new float[8 * 144], SHAPE, BitWidth.of(8), scales);
      IntegerLayer layer =
          IntegerLayer.of(LinearQuantizer.unsigned(BitWidth.of(2), 6), quantized, bias);
      for (int o = 0; o < bias.length; o++) {
        assertEquals(bias[o], layer.biasValues()[o], 1e-6);
      }
    }
  }

  @Test
  void anOutputThatRoundsToZerosKeepsItsTensorsOneScale() {
    float[] weights = weights();
    for (int i = 0; i < 144; i++) {
      weights[i] *= 1e-5f;
    }
    QuantizedWeights quantized = quantized(weights, SHAPE, BitWidth.of(8), WeightScales.PER_TENSOR);
    float[] bias = {0.3f, -2, 0, 0.1f, 1, 2, 3, 4};
    IntegerLayer layer =
        IntegerLayer.of(LinearQuantizer.unsigned(BitWidth.of(8), 6), quantized, bias);
    assertTrue(layer.weights().oneScale());
  }
}
