package dev.haq.quantizer.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import dev.haq.model.BitWidth;
import dev.haq.quantizer.quant.LinearQuantizer;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Fake-quantizers and their gradients against their definitions. */
final class TrainedQuantizersTest {
  private static final int VALUES = 2000;
  private static final float CLIP = 1.3f;

  private NDManager manager;

  @BeforeEach
  void open() {
    manager = TrainingEngine.newManager(1);
  }

  @AfterEach
  void close() {
    manager.close();
  }

  private static float[] noise(int count, long seed) {
    Random random = new Random(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static LinearQuantizer[] quantizers(int bits) {
    BitWidth width = BitWidth.of(bits);
    return new LinearQuantizer[] {
      LinearQuantizer.unsigned(width, CLIP),
      LinearQuantizer.symmetric(width, CLIP),
      LinearQuantizer.affine(width, -0.4, CLIP)
    };
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 8})
  void fixedActivationsAreQuantizedAsDefinedAndPassGradientsInsideTheClipRange(int bits) {
    for (LinearQuantizer quantizer : quantizers(bits)) {
      float[] values = noise(VALUES, bits);
      float[] upstream = noise(VALUES, 99);
      NDArray x = manager.create(values);
      x.setRequiresGradient(true);
      float[] quantized;
      try (GradientCollector gradients = TrainingEngine.get(1).newGradientCollector()) {
        TrainedActivations activations = new TrainedActivations(quantizer, false, manager);
        TrainedActivations.Codes codes = activations.codes(x, null);
        NDArray y = codes.scaled(codes.codes());
        quantized = y.toFloatArray();
        gradients.backward(y.mul(manager.create(upstream)).sum());
      }
      float[] gradient = x.getGradient().toFloatArray();
      for (int i = 0; i < VALUES; i++) {
        assertEquals(quantizer.quantize(values[i]), quantized[i], 1e-5);
        float steps = values[i] / quantizer.scale();
        boolean inside = steps >= quantizer.lowest() && steps <= quantizer.highest();
        assertEquals(inside ? upstream[i] : 0, gradient[i], 1e-5);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 4})
  void aLearntThresholdGetsTheGradientsOfWhatItClips(int bits) {
    for (LinearQuantizer quantizer : quantizers(bits)) {
      float[] values = noise(VALUES, bits);
      float[] upstream = noise(VALUES, 98);
      NDArray x = manager.create(values);
      x.setRequiresGradient(true);
      TrainedActivations activations = new TrainedActivations(quantizer, true, manager);
      NDArray threshold = activations.parameter().stopGradient();
      threshold.setRequiresGradient(true);
      float[] quantized;
      try (GradientCollector gradients = TrainingEngine.get(1).newGradientCollector()) {
        TrainedActivations.Codes codes = activations.codes(x, threshold);
        NDArray y = codes.scaled(codes.codes());
        quantized = y.toFloatArray();
        gradients.backward(y.mul(manager.create(upstream)).sum());
      }
      float[] gradient = x.getGradient().toFloatArray();
      double expected = 0;
      double lowShare = (double) quantizer.lowest() / quantizer.highest();
      for (int i = 0; i < VALUES; i++) {
        assertEquals(quantizer.quantize(values[i]), quantized[i], 1e-5);
        boolean above = values[i] > quantizer.clip();
        boolean below = values[i] < quantizer.low();
        expected += above ? upstream[i] : below ? lowShare * upstream[i] : 0;
        assertEquals(above || below ? 0 : upstream[i], gradient[i], 1e-5);
      }
      assertEquals(expected, threshold.getGradient().toFloatArray()[0], 1e-3);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 8})
  void gridWeightsLieOnTheGridOfTheirOutputAndPassGradientsInsideTheClipRange(int bits) {
    int outputs = 4;
    int each = 50;
    int levels = LinearQuantizer.levels(BitWidth.of(bits), true);
    float[] scales = {0.5f / levels, 1f / levels, 1.5f / levels, 2f / levels};
    float[] values = noise(outputs * each, bits);
    TrainedGrid weights =
        new TrainedGrid(
            manager.create(values, new Shape(outputs, each, 1, 1)), levels, w -> scales);
    float[] quantized = weights.quantized().toFloatArray();
    float[] upstream = noise(outputs * each, 97);
    float[] gradient =
        weights.gradient(manager.create(upstream, new Shape(outputs, each, 1, 1))).toFloatArray();
    for (int i = 0; i < values.length; i++) {
      float scale = scales[i / each];
      LinearQuantizer quantizer = new LinearQuantizer(scale, -levels, levels);
      assertEquals(quantizer.quantize(values[i]), quantized[i], 1e-5);
      boolean inside = Math.abs(values[i] / scale) <= levels;
      assertEquals(inside ? upstream[i] : 0, gradient[i], 0);
    }
  }

  @Test
  void gridWeightsFollowTheirScalesWhenRefitted() {
    float[] scale = {1};
    TrainedGrid weights =
        new TrainedGrid(manager.create(new float[] {0.4f, 0.6f}, new Shape(1, 2)), 3, w -> scale);
    assertArrayEquals(new float[] {0, 1}, weights.quantized().toFloatArray());
    scale[0] = 0.2f;
    weights.refit();
    assertArrayEquals(new float[] {0.4f, 0.6f}, weights.quantized().toFloatArray(), 1e-6f);
  }

  @Test
  void aSharedWeightGetsTheSumOfTheGradientsOfThoseThatShareIt() {
    SharedWeights weights =
        new SharedWeights(
            manager, new float[] {-1, 0.5f, 2}, new int[] {0, 2, 2, 1, 0, 2}, new Shape(2, 3));
    assertArrayEquals(new float[] {-1, 2, 2, 0.5f, -1, 2}, weights.quantized().toFloatArray());
    float[] gradient =
        weights
            .gradient(manager.create(new float[] {1, 2, 3, 4, 5, 6}, new Shape(2, 3)))
            .toFloatArray();
    assertArrayEquals(new float[] {6, 4, 11}, gradient);
    assertArrayEquals(new float[] {-1, 2, 2, 0.5f, -1, 2}, weights.values());
  }

  @Test
  void stepsLeaveNoArrayOfWeightsBehind() {
    SharedWeights shared =
        new SharedWeights(manager, new float[] {-1, 2}, new int[] {0, 1, 1, 0}, new Shape(2, 2));
    TrainedGrid grid =
        new TrainedGrid(
            manager.create(noise(4, 1), new Shape(2, 2)), 3, w -> new float[] {0.5f, 0.2f});
    TrainedWeights real = new TrainedWeights.Real(manager.create(noise(4, 2), new Shape(2, 2)));
    for (TrainedWeights weights : List.of(shared, grid, real)) {
      int held = manager.getManagedArrays().size();
      for (int step = 0; step < 3; step++) {
        try (NDManager stepManager = manager.newSubManager()) {
          NDArray leaf = weights.quantized();
          leaf.attach(stepManager);
          leaf.setRequiresGradient(true);
          try (GradientCollector gradients = TrainingEngine.get(1).newGradientCollector()) {
            gradients.backward(leaf.mul(leaf).sum());
          }
          float[] values = leaf.toFloatArray();
          float[] gradient = leaf.getGradient().toFloatArray();
          for (int i = 0; i < values.length; i++) {
            assertEquals(2 * values[i], gradient[i], 1e-5);
          }
          weights.gradient(leaf.getGradient());
        }
        weights.refit();
        assertEquals(held, manager.getManagedArrays().size(), weights.getClass().getSimpleName());
      }
    }
  }
}
