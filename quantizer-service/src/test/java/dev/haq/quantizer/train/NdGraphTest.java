package dev.haq.quantizer.train;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtSession;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.FloatGraph;
import dev.haq.quantizer.onnx.ModelImporter;
import dev.haq.quantizer.onnx.Ort;
import java.nio.FloatBuffer;
import java.nio.file.*;
import java.util.*;
import org.junit.jupiter.api.Test;

final class NdGraphTest {
  @Test
  void real() throws Exception {
    for (String f :
        List.of(
            "cifar10/resnet20.onnx",
            "imagenet/mobilenetv1_0.75_224.onnx",
            "imagenet/mobilenetv2_1.0_224.onnx")) {
      CnnGraph graph =
          ModelImporter.read(
                  Files.readAllBytes(Path.of(System.getProperty("haq.shared"), "data", f)),
                  "id",
                  "m")
              .graph();
      System.out.println(f + " " + agree(graph, 4));
    }
  }

  static double agree(CnnGraph graph, int batch) throws Exception {
    float[] images = new float[batch * graph.inputValues()];
    Random r = new Random(1);
    for (int i = 0; i < images.length; i++) images[i] = (float) r.nextGaussian();
    long[] dims = {
      batch, graph.inputShape().get(0), graph.inputShape().get(1), graph.inputShape().get(2)
    };
    float[] expected;
    try (OrtSession s =
            Ort.open(
                FloatGraph.write(graph, List.of(graph.output())).toByteArray(),
                FloatGraph.rewriting());
        OnnxTensor t = OnnxTensor.createTensor(Ort.environment(), FloatBuffer.wrap(images), dims);
        OrtSession.Result res = s.run(Map.of(graph.input(), t))) {
      FloatBuffer b = ((OnnxTensor) res.get(0)).getFloatBuffer();
      expected = new float[b.remaining()];
      b.get(expected);
    }
    float[] got;
    try (NDManager m = TrainingEngine.newManager(2)) {
      got =
          NdGraph.of(graph)
              .run(
                  m.create(images, new Shape(dims)),
                  (k, layer, x) ->
                      FloatLayer.apply(
                          layer,
                          x,
                          m.create(layer.weights(), FloatLayer.shape(layer)),
                          m.create(layer.bias())))
              .toFloatArray();
    }
    double worst = 0;
    for (int i = 0; i < got.length; i++) worst = Math.max(worst, Math.abs(got[i] - expected[i]));
    return worst;
  }
}
