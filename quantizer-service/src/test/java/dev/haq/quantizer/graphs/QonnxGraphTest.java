package dev.haq.quantizer.graphs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import dev.haq.quantizer.importing.Imports;
import dev.haq.quantizer.importing.SmallModel;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.GraphNode.Quantizable;
import dev.haq.quantizer.onnx.Ort;
import dev.haq.quantizer.quant.LinearQuantizer;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class QonnxGraphTest {
  private static final int SIDE = 4;

  private static float[] answers(ModelProto model) throws OrtException {
    float[] halfway = new float[3 * SIDE * SIDE];
    for (int i = 0; i < halfway.length; i++) {
      halfway[i] = i % 24 - 8 + 0.5f;
    }
    long[] dims = {1, 3, SIDE, SIDE};
    try (OnnxTensor image =
        OnnxTensor.createTensor(Ort.environment(), FloatBuffer.wrap(halfway), dims)) {
      return Imports.run(model.toByteArray(), image);
    }
  }

  @Test
  void whatLiesHalfwayIsRoundedWithItsZeroPoint() throws OrtException {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String features = model.conv("image", 3, 4, 1, 1, 1);
    CnnGraph graph = model.imported(model.gemm(model.pooled(features), 4, 5)).graph();
    for (int lowest : new int[] {-3, -4, -7, 0}) {
      LinearQuantizer affine = new LinearQuantizer(1, lowest, lowest == -7 ? 7 : lowest + 15);
      List<PlainLayer> layers =
          graph.layers().stream().map(layer -> plain(layer, graph, affine)).toList();
      float[] file = answers(QonnxGraph.inStandardOperators(QonnxGraph.write(graph, layers)));
      assertArrayEquals(file, answers(FakeQuantizedGraph.plainShifted(graph, layers)));
      if (lowest == -3) {
        float[] unshifted = answers(FakeQuantizedGraph.plain(graph, layers, layer -> false));
        assertFalse(Arrays.equals(file, unshifted), "an odd zero point turns ties round");
      }
    }
  }

  private static PlainLayer plain(Quantizable layer, CnnGraph graph, LinearQuantizer affine) {
    Optional<LinearQuantizer> activations =
        layer.input().equals(graph.input()) ? Optional.of(affine) : Optional.empty();
    return new PlainLayer(activations, Optional.empty(), layer.weights(), layer.bias());
  }
}
