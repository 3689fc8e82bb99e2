package dev.haq.quantizer.importing;

import static dev.haq.quantizer.importing.Imports.SIDE;
import static dev.haq.quantizer.importing.Imports.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.haq.model.Reason;
import dev.haq.quantizer.onnx.Nodes;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What diverged or overflowed in training is refused where it comes in. */
final class FiniteWeightsTest {
  private static final String ADVICE =
      ": the training diverged, or values overflowed in 16 bits; send a model whose weights are"
          + " finite";

  private final SmallModel model = new SmallModel(3, SIDE, SIDE);

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void weightsThatAreNotFiniteAreRefusedWithTheirLayer(float value) {
    float[] weights = model.values(8 * 27, 0.3);
    weights[17] = value;
    assertEquals(
        "layer 'first' has weights that are not finite (1 of 216 values, such as "
            + value
            + ")"
            + ADVICE,
        refused(conv(weights, model.values(8, 0.1)), 8));
  }

  @Test
  void soAreBiases() {
    float[] bias = model.values(8, 0.1);
    bias[7] = Float.POSITIVE_INFINITY;
    assertEquals(
        "layer 'first' has a bias that is not finite (1 of 8 values, such as Infinity)" + ADVICE,
        refused(conv(model.values(8 * 27, 0.3), bias), 8));
  }

  @Test
  void soAreThoseOfFullyConnectedLayers() {
    float[] bias = {0, 1, Float.NaN};
    String product =
        model.node("MatMul", model.pooled("image"), model.initializer(new float[9], 3, 3));
    String output = model.node("Add", product, model.initializer(bias, 3));
    String message = assertRefused(Reason.INVALID_MODEL, model.bytes(output));
    assertEquals(
        "has a bias that is not finite (1 of 3 values, such as NaN)" + ADVICE, after(message));
  }

  @Test
  void whatOverflowsWhereABatchNormIsFoldedInIsRefused() {
    float[] weights = new float[8 * 27];
    Arrays.fill(weights, 1e38f);
    float[] ones = new float[8];
    Arrays.fill(ones, 1);
    float[] scales = ones.clone();
    scales[1] = 100;
    String normed =
        model.node(
            "BatchNormalization",
            conv(weights, new float[8]),
            model.initializer(scales, 8),
            model.initializer(new float[8], 8),
            model.initializer(new float[8], 8),
            model.initializer(ones, 8));
    assertEquals(
        "layer 'first', its batch-norm folded in, has weights that are not finite (27 of 216 values,"
            + " such as Infinity)"
            + ADVICE,
        refused(normed, 8));
  }

  @Test
  void whatOverflowedInSixteenBitsIsRefused() {
    model
        .graph()
        .addInitializer(
            TensorProto.newBuilder()
                .setName("half")
                .setDataType(TensorProto.DataType.FLOAT16.getNumber())
                .addAllDims(List.of(2L, 3L))
                .addAllInt32Data(List.of(0x3C00, 0x3C00, 0x3C00, 0x3C00, 0xFC00, 0x3C00)));
    String weights = model.cast("half", TensorProto.DataType.FLOAT);
    NodeProto transposed = NodeProto.newBuilder().addAttribute(Nodes.integer("transB", 1)).build();
    String output = model.node("Gemm", List.of(model.pooled("image"), weights), transposed);
    String message = assertRefused(Reason.INVALID_MODEL, model.bytes(output));
    assertEquals(
        "has weights that are not finite (1 of 6 values, such as -Infinity)" + ADVICE,
        after(message));
  }

  @Test
  void otherConstantsMayBeInfinite() {
    String clipped =
        model.node(
            "Clip",
            model.conv("image", 3, 8, 3, 1, 1),
            model.graphScalar(Float.NEGATIVE_INFINITY),
            model.graphScalar(Float.POSITIVE_INFINITY));
    float[] mask = new float[8];
    mask[3] = Float.NEGATIVE_INFINITY;
    String masked = model.node("Add", clipped, model.initializer(mask, 1, 8, 1, 1));
    assertEquals(2, model.imported(scores(model.relu(masked), 8)).network().size());
  }

  @Test
  void largeWeightsAreTakenAsTheyAre() {
    float[] weights = new float[8 * 27];
    Arrays.fill(weights, 1e38f);
    assertEquals(2, model.imported(scores(conv(weights, new float[8]), 8)).network().size());
  }

  private String conv(float[] weights, float[] bias) {
    NodeProto named = SmallModel.window(3, 1, 1).toBuilder().setName("first").build();
    return model.node(
        "Conv",
        List.of(
            "image", model.initializer(weights, 8, 3, 3, 3), model.initializer(bias, bias.length)),
        named);
  }

  private String scores(String features, int channels) {
    return model.gemm(model.pooled(features), channels, 5);
  }

  private String refused(String features, int channels) {
    return assertRefused(Reason.INVALID_MODEL, model.bytes(scores(features, channels)));
  }

  /** What follows the layer's name. */
  private static String after(String message) {
    return message.substring(message.indexOf("' ") + 2);
  }
}
