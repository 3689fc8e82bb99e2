package dev.haq.quantizer.onnx;

import static dev.haq.quantizer.onnx.Imports.SIDE;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import dev.haq.quantizer.onnx.CnnGraph.OutputKind;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;

/** What is known of tensors whose types change, or that are rounded in the model. */
final class NonNegativeTest {
  private static final int LOWEST = -128;

  @Test
  void probabilitiesThatAreCastOrRoundedAreProbabilities() {
    assertAfterSoftmax(OutputKind.PROBABILITIES, (m, p) -> m.cast(p, DataType.FLOAT));
    assertAfterSoftmax(
        OutputKind.PROBABILITIES, (m, p) -> m.cast(m.cast(p, DataType.FLOAT16), DataType.FLOAT));
    assertAfterSoftmax(OutputKind.PROBABILITIES, (m, p) -> rounded(m, p, unsigned(0)));
    assertAfterSoftmax(
        OutputKind.PROBABILITIES, (m, p) -> m.node("Flatten", rounded(m, p, signed(LOWEST))));
  }

  @Test
  void whatIsMadeOfProbabilitiesInWholeNumbersIsNone() {
    assertAfterSoftmax(
        OutputKind.LOGITS, (m, p) -> m.cast(m.cast(p, DataType.INT32), DataType.FLOAT));
    assertAfterSoftmax(
        OutputKind.LOGITS,
        (m, p) -> m.cast(quantizing(m, "QuantizeLinear", p, unsigned(0)), DataType.FLOAT));
  }

  @Test
  void aReluStaysWithoutASignThroughCastsAndRounding() {
    assertLayerReads(true, (m, x) -> m.cast(m.relu(x), DataType.FLOAT16));
    assertLayerReads(true, (m, x) -> rounded(m, m.relu(x), signed(0)));
    assertLayerReads(true, (m, x) -> rounded(m, m.relu(x), signed(LOWEST)));
  }

  @Test
  void codesWhoseZeroIsTheLowestStandForNothingNegative() {
    assertLayerReads(true, (m, x) -> rounded(m, x, unsigned(0)));
    assertLayerReads(true, (m, x) -> rounded(m, x, signed(LOWEST)));
    assertLayerReads(false, (m, x) -> rounded(m, x, unsigned(1)));
    assertLayerReads(false, (m, x) -> rounded(m, x, signed(0)));
  }

  @Test
  void wholeNumbersAreNotTakenForWhatTheyAreMadeOf() {
    // The codes of a ReLU begin at -128.
    assertLayerReads(
        false,
        (m, x) ->
            m.cast(quantizing(m, "QuantizeLinear", m.relu(x), signed(LOWEST)), DataType.FLOAT));
    assertLayerReads(false, (m, x) -> m.cast(m.cast(m.relu(x), DataType.INT8), DataType.FLOAT));
  }

  private static void assertAfterSoftmax(
      OutputKind expected, BiFunction<SmallModel, String, String> changed) {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String scores = model.gemm(model.pooled(model.conv("image", 3, 8, 3, 1, 1)), 8, 5);
    String output = changed.apply(model, model.node("Softmax", scores));
    assertEquals(expected, model.imported(output).graph().outputKind());
  }

  /** Whether what the second layer reads is known to be without a sign. */
  private static void assertLayerReads(
      boolean nonNegative, BiFunction<SmallModel, String, String> changed) {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String features = changed.apply(model, model.conv("image", 3, 8, 3, 1, 1));
    String conv = model.conv(features, 8, 8, 3, 1, 1);
    CnnGraph graph = model.imported(model.gemm(model.pooled(conv), 8, 5)).graph();
    assertEquals(nonNegative, graph.nonNegative().contains(graph.layers().get(1).input()));
  }

  private static String rounded(SmallModel model, String tensor, TensorProto zero) {
    return quantizing(
        model, "DequantizeLinear", quantizing(model, "QuantizeLinear", tensor, zero), zero);
  }

  private static String quantizing(SmallModel model, String type, String tensor, TensorProto zero) {
    String name = "zero" + model.graph().getInitializerCount();
    model.graph().addInitializer(Tensors.renamed(zero, name));
    return model.node(type, tensor, model.scalar(1 / 64f), name);
  }

  private static TensorProto unsigned(int zero) {
    return Tensors.uint8("", new byte[] {(byte) zero});
  }

  private static TensorProto signed(int zero) {
    return Tensors.int8("", new byte[] {(byte) zero});
  }
}
