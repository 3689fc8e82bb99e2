package dev.haq.quantizer.graphs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.haq.quantizer.graphs.TunedGraph.Clip;
import dev.haq.quantizer.graphs.TunedGraph.TunedLayer;
import dev.haq.quantizer.importing.ModelImporter;
import dev.haq.quantizer.importing.SmallModel;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.Ort;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class TunedGraphTest {
  private static final int SIDE = 8;

  private static CnnGraph clipped(CnnGraph graph, float high) {
    List<TunedLayer> layers =
        graph.layers().stream()
            .map(l -> new TunedLayer(l.weights(), l.bias(), Optional.of(new Clip(0, high))))
            .toList();
    return TunedGraph.of(graph, layers);
  }

  private static ModelProto written(CnnGraph graph) {
    return FloatGraph.write(graph, List.of(graph.output()));
  }

  private static float[] scores(CnnGraph graph) throws OrtException {
    float[] image = new SmallModel(1, 1, 1).values(3 * SIDE * SIDE, 2);
    try (OrtSession session = Ort.open(written(graph), Ort.Rewriting.NONE);
        OnnxTensor input =
            OnnxTensor.createTensor(
                Ort.environment(), FloatBuffer.wrap(image), new long[] {1, 3, SIDE, SIDE});
        OrtSession.Result result = session.run(Map.of("image", input))) {
      return ((float[][]) result.get(0).getValue())[0];
    }
  }

  @Test
  void aNetworkWithLearntClipsCanBeTunedAgain() throws OrtException {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String stem = model.relu(model.conv("image", 3, 8, 3, 1, 1));
    CnnGraph graph = model.imported(model.gemm(model.pooled(stem), 8, 5)).graph();
    byte[] tuned = written(clipped(graph, 2)).toByteArray();
    CnnGraph again = clipped(ModelImporter.read(tuned, "sha256:tuned", "tuned").graph(), 0.2f);
    long clips =
        again.nodes().stream()
            .flatMap(node -> node.outputs().stream())
            .filter(output -> output.startsWith("haq/clip/"))
            .distinct()
            .count();
    assertEquals(4, clips);
    assertArrayEquals(scores(clipped(graph, 0.2f)), scores(again), 1e-6f);
  }
}
