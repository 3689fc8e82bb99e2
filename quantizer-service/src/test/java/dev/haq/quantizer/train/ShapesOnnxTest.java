package dev.haq.quantizer.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.haq.quantizer.builtin.BuiltinShapes;
import dev.haq.quantizer.train.ShapesNetwork.Convolution;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class ShapesOnnxTest {
  @Test
  void theModelTakesAnyNumberOfImages() throws OrtException {
    byte[] model = ShapesOnnx.write(constantParameters()).toByteArray();
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    try (OrtSession session = environment.createSession(model)) {
      for (int images : new int[] {1, 3}) {
        FloatBuffer zeros = FloatBuffer.allocate(images * BuiltinShapes.IMAGE_BYTES);
        try (OnnxTensor input =
                OnnxTensor.createTensor(environment, zeros, new long[] {images, 3, 32, 32});
            OrtSession.Result result = session.run(Map.of("input", input))) {
          float[][] logits = (float[][]) result.get("logits").orElseThrow().getValue();
          assertEquals(images, logits.length);
          assertEquals(BuiltinShapes.CLASSES, logits[0].length);
        }
      }
    }
  }

  @Test
  void theStoredModelIsOneOfThisNetwork() throws InvalidProtocolBufferException {
    ModelProto stored = ModelProto.parseFrom(BuiltinShapes.model());
    ModelProto fresh = ShapesOnnx.write(constantParameters());
    assertEquals(fresh.getGraph().getNodeList(), stored.getGraph().getNodeList());
    assertEquals(13, stored.getOpsetImport(0).getVersion());
    assertEquals(20, countOf(stored, "Conv") + countOf(stored, "Gemm"));
    assertEquals(19, countOf(stored, "BatchNormalization"));
    assertTrue(
        stored.getGraph().getNodeList().stream()
            .map(NodeProto::getName)
            .anyMatch("/features/3/pointwise/Conv"::equals));
  }

  @Test
  void theStoredModelTellsNineOutOfTenImagesRight() throws OrtException {
    int right = TrainShapes.correct(BuiltinShapes.model(), BuiltinShapes.Part.SEARCH);
    assertEquals(948, right, 2);
  }

  @Test
  void augmentedImagesKeepTheirPixels() {
    TrainingImages images = TrainingImages.draw(1);
    float[] plain = new float[BuiltinShapes.IMAGE_BYTES];
    float[] other = new float[BuiltinShapes.IMAGE_BYTES];
    images.augmented(0, new java.util.SplittableRandom(1), plain, 0);
    images.augmented(0, new java.util.SplittableRandom(5), other, 0);
    Arrays.sort(plain);
    Arrays.sort(other);
    assertArrayEquals(plain, other);
  }

  private static long countOf(ModelProto model, String type) {
    return model.getGraph().getNodeList().stream()
        .filter(node -> node.getOpType().equals(type))
        .count();
  }

  /** Ones everywhere: harmless as weights, scales and variances. */
  private static List<float[]> constantParameters() {
    List<float[]> parameters = new ArrayList<>();
    for (Convolution layer : ShapesNetwork.convolutions()) {
      int inputs = layer.inputs() / layer.groups();
      parameters.add(ones(layer.outputs() * inputs * layer.kernel() * layer.kernel()));
      for (int i = 0; i < 4; i++) {
        parameters.add(ones(layer.outputs()));
      }
    }
    parameters.add(ones(BuiltinShapes.CLASSES * ShapesNetwork.features()));
    parameters.add(ones(BuiltinShapes.CLASSES));
    return parameters;
  }

  private static float[] ones(int count) {
    float[] ones = new float[count];
    Arrays.fill(ones, 1);
    return ones;
  }
}
