package dev.haq.quantizer.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.quantizer.importing.SmallModel;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class OrtTest {
  private static final int WIDE = 1024;
  private static final int OUTPUTS = 200;
  private static final int IMAGES = 20;

  /** As many values as the image's largest value says. */
  private static byte[] grows(SmallModel model) {
    String first =
        model.node(
            "ReduceMax",
            List.of("image"),
            NodeProto.newBuilder().addAttribute(Nodes.integer("keepdims", 0)).build());
    String size =
        model.node(
            "Cast",
            List.of(model.node("Reshape", first, model.initializer(1))),
            NodeProto.newBuilder().addAttribute(Nodes.integer("to", 7)).build());
    return model.bytes(model.node("Expand", model.scalar(1), size));
  }

  private static OrtException thrown(float size) throws OrtException {
    try (OrtSession session = Ort.open(grows(new SmallModel(1, 1, 1)), Ort.Rewriting.NONE);
        OnnxTensor image =
            OnnxTensor.createTensor(
                Ort.environment(), FloatBuffer.wrap(new float[] {size}), new long[] {1, 1, 1, 1})) {
      return assertThrows(OrtException.class, () -> session.run(Map.of("image", image)));
    }
  }

  @Test
  void anAcceptedModelThatFindsNoMemoryMayBeRunAgain() throws OrtException {
    OrtException noMemory = thrown(0x1p47f); // 512 TB, more than addresses reach
    assertEquals(Reason.UNAVAILABLE, Ort.failed(noMemory).reason(), noMemory.getMessage());
  }

  @Test
  void aShortageOfMemorySaysNothingAboutAModelThatIsReadAgain() throws OrtException {
    HaqException noMemory = Ort.refused(thrown(0x1p47f));
    assertEquals(Reason.UNAVAILABLE, noMemory.reason(), noMemory.getMessage());
    assertEquals(Reason.INVALID_MODEL, Ort.refused(thrown(-2)).reason());
  }

  @Test
  void anyOtherFailureOfAnAcceptedModelIsAFaultOfTheService() throws OrtException {
    OrtException other = thrown(-2);
    assertEquals(Reason.INTERNAL, Ort.failed(other).reason(), other.getMessage());
    assertEquals(
        Reason.INTERNAL,
        assertThrows(HaqException.class, () -> Ort.open(new byte[] {1}, Ort.Rewriting.NONE))
            .reason());
  }

  /** A product of more terms, and more outputs, than are worked on at once. */
  private static float[] product(boolean computed, Ort.Rewriting rewriting) throws OrtException {
    SmallModel model = new SmallModel(WIDE, 1, 1);
    String weights = model.initializer(model.values(WIDE * OUTPUTS, 0.1), OUTPUTS, WIDE);
    if (computed) {
      weights = model.node("Mul", weights, model.scalar(1));
    }
    String bias = model.initializer(model.values(OUTPUTS, 0.1), OUTPUTS);
    NodeProto transposed = NodeProto.newBuilder().addAttribute(Nodes.integer("transB", 1)).build();
    byte[] bytes =
        model.bytes(
            model.node("Gemm", List.of(model.node("Flatten", "image"), weights, bias), transposed));
    float[] images = new SmallModel(1, 1, 1).values(IMAGES * WIDE, 1);
    try (OrtSession session = Ort.open(bytes, rewriting);
        OnnxTensor input =
            OnnxTensor.createTensor(
                Ort.environment(), FloatBuffer.wrap(images), new long[] {IMAGES, WIDE, 1, 1});
        OrtSession.Result result = session.run(Map.of("image", input))) {
      float[] answers = new float[IMAGES * OUTPUTS];
      ((OnnxTensor) result.get(0)).getFloatBuffer().get(answers);
      return answers;
    }
  }

  @Test
  void productsAddInOneOrderWhereverTheirWeightsComeFrom() throws OrtException {
    assertArrayEquals(
        product(false, Ort.Rewriting.AS_WRITTEN), product(true, Ort.Rewriting.AS_WRITTEN));
  }

  @Test
  void aModelThatWasNeverRunIsRefused() {
    assertEquals(
        Reason.INVALID_MODEL,
        assertThrows(HaqException.class, () -> Ort.open(new byte[] {1}, Ort.Rewriting.PROBE))
            .reason());
  }
}
