package dev.haq.quantizer.eval;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import dev.haq.model.Recipe;
import dev.haq.quantizer.graphs.FakeQuantizedGraph;
import dev.haq.quantizer.graphs.FloatGraph;
import dev.haq.quantizer.graphs.LayerForm;
import dev.haq.quantizer.importing.SmallModel;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.Ort;
import dev.haq.quantizer.quant.Numerics;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Models whose weights ONNX Runtime maps from a file, against the same models in one piece. */
final class LargeWeightsTest {
  private static final int CHANNELS = 1024;
  private static final int CLASSES = 5;
  private static final int IMAGES = 4;
  private static final int MAPPED_FROM = 32 << 20;

  @Test
  void weightsInAFileGiveTheSameScoresToTheLastBit() {
    CnnGraph graph = large();
    Images images = new RandomImages(IMAGES, graph.inputValues(), CLASSES);
    try (SessionRunner runner = new SessionRunner(2)) {
      ModelProto exact = FloatGraph.write(graph, List.of(graph.output()));
      for (Ort.Rewriting rewriting : Ort.Rewriting.values()) {
        assertSame(exact, rewriting, graph, images, runner);
      }
      Calibration calibration = Calibration.of(graph, images, runner, () -> false);
      Numerics numerics = Numerics.of(Recipe.named("haq"));
      List<LayerForm> layers =
          PreparedNetwork.of(graph, numerics, calibration, images, runner, () -> false)
              .layers(Policy.uniform(graph.layers().size(), LayerBits.of(6, 6)), () -> false);
      FakeQuantizedGraph judge = new FakeQuantizedGraph();
      assertSame(judge.write(graph, layers), judge.rewriting(), graph, images, runner);
      assertSame(judge.write(graph, layers), Ort.Rewriting.FLOAT_LAYERS, graph, images, runner);
    }
  }

  private static void assertSame(
      ModelProto model,
      Ort.Rewriting rewriting,
      CnnGraph graph,
      Images images,
      SessionRunner runner) {
    byte[] whole = model.toByteArray();
    assertTrue(whole.length > MAPPED_FROM, "too small to be mapped");
    float[] expected = scores(Ort.open(whole, rewriting), graph, images, runner);
    assertArrayEquals(
        expected, scores(Ort.open(model, rewriting), graph, images, runner), rewriting.name());
    assertArrayEquals(
        expected,
        scores(Ort.openForKeeping(model, rewriting), graph, images, runner),
        rewriting.name());
  }

  private static float[] scores(
      OrtSession opened, CnnGraph graph, Images images, SessionRunner runner) {
    try (OrtSession session = opened) {
      return runner
          .run(
              session,
              graph,
              images,
              0,
              IMAGES,
              IMAGES,
              (result, first, count) -> SessionRunner.floats((OnnxTensor) result.get(0)),
              () -> false)
          .get(0);
    } catch (OrtException e) {
      throw new AssertionError(e);
    }
  }

  /** 36 MB in one layer. */
  private static CnnGraph large() {
    SmallModel model = new SmallModel(3, 6, 6);
    String stem = model.relu(model.conv("image", 3, CHANNELS, 3, 2, 1));
    String wide = model.relu(model.conv(stem, CHANNELS, CHANNELS, 3, 1, 1));
    return model.imported(model.gemm(model.pooled(wide), CHANNELS, CLASSES)).graph();
  }
}
