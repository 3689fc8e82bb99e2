package dev.haq.quantizer.eval;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.haq.model.BitWidth;
import dev.haq.model.Recipe.Clip;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.SmallModel;
import dev.haq.quantizer.quant.Numerics.ActivationForm;
import java.lang.ref.WeakReference;
import org.junit.jupiter.api.Test;

final class CalibrationTest {
  private static final int CLASSES = 5;
  private static final int MOST_COLLECTIONS = 100;

  @Test
  void aCalibrationOutlivesItsNetwork() throws InterruptedException {
    try (SessionRunner runner = new SessionRunner(1)) {
      SmallModel model = new SmallModel(3, 8, 8);
      String features = model.relu(model.conv("image", 3, 16, 3, 1, 1));
      String output = model.gemm(model.pooled(features), 16, CLASSES);
      CnnGraph graph = model.imported(output).graph();
      String tensor = graph.layers().get(1).input();
      Images images = new RandomImages(4, graph.inputValues(), CLASSES);
      Calibration calibration = Calibration.of(graph, images, runner, () -> false);
      WeakReference<float[]> weights = new WeakReference<>(graph.layers().get(0).weights());
      graph = null;
      for (int i = 0; i < MOST_COLLECTIONS && weights.get() != null; i++) {
        System.gc();
        Thread.sleep(10);
      }
      assertNull(weights.get());
      assertFalse(
          calibration
              .quantizer(tensor, BitWidth.of(4), Clip.MIN_MAX, ActivationForm.SYMMETRIC)
              .signed());
    }
  }
}
