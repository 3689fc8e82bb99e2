package dev.haq.quantizer.importing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.quantizer.onnx.Ort;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class ShapeProbeTest {
  /** ONNX Runtime keeps what a run has as its outputs until it ends, and lets go of the rest. */
  @Test
  void tensorsWhoseSizeIsInferredAreNoOutputsOfTheRun() throws OrtException {
    int side = 16;
    SmallModel model = new SmallModel(3, side, side);
    String features = "image";
    for (int i = 0; i < 80; i++) {
      features = model.relu(features);
    }
    String scores = model.gemm(model.pooled(model.conv(features, 3, 8, 1, 2, 1)), 8, 5);
    GraphDraft draft = GraphDraft.of(model.model(scores), Integer.MAX_VALUE, () -> false);
    Map<String, List<Integer>> shapes = new HashMap<>(Map.of("image", List.of(1, 3, side, side)));
    List<String> shown = new ArrayList<>();
    OnnxTensor image =
        OnnxTensor.createTensor(
            Ort.environment(),
            FloatBuffer.allocate(3 * side * side),
            new long[] {1, 3, side, side});
    new PiecewiseRun(
            draft.model,
            draft.constants,
            ProbeLimits.ofImage(draft.constants, shapes),
            draft.cancelled)
        .run(draft.nodes, Map.of("image", image), Set.of(scores), (name, value) -> shown.add(name));

    assertEquals(List.of(scores), shown);
    assertEquals(List.of(1, 3, side, side), shapes.get(features));
  }

  @Test
  void aShortageOfMemoryDeniesNothing() {
    HaqException noMemory = new HaqException(Reason.UNAVAILABLE, "no memory");
    assertSame(noMemory, assertThrows(HaqException.class, () -> ShapeProbe.deniedBy(noMemory)));
    assertFalse(ShapeProbe.deniedBy(new HaqException(Reason.INVALID_MODEL, "another failure")));
  }

  @Test
  void aModelThatTakesTheFirstImagesAttentionForAllTakesOneImageAtATime() {
    for (boolean mixes : new boolean[] {false, true}) {
      SmallModel model = new SmallModel(3, 8, 8);
      String features = model.relu(model.conv("image", 3, 8, 3, 1, 1));
      String attention = model.node("Sigmoid", model.conv(features, 8, 8, 1, 1, 1));
      if (mixes) {
        attention = model.node("Gather", attention, model.initializer(0));
      }
      String output = model.gemm(model.pooled(model.node("Mul", features, attention)), 8, 5);
      assertEquals(mixes, model.imported(output).graph().fixedBatch());
    }
  }
}
