package dev.haq.quantizer.importing;

import static dev.haq.quantizer.importing.Imports.SIDE;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.CnnGraph.OutputKind;
import dev.haq.quantizer.onnx.GraphNode;
import dev.haq.quantizer.onnx.ImportedModel;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Tensors;
import java.util.List;
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
  void aMaximumWithNothingNegativeIsWithoutASign() {
    assertLayerReads(true, (m, x) -> m.node("Max", x, m.scalar(0.5f)));
    assertLayerReads(true, (m, x) -> m.node("Max", m.relu(x), x));
    assertLayerReads(false, (m, x) -> m.node("Max", x, m.scalar(-1)));
    assertLayerReads(false, (m, x) -> m.node("Min", x, m.scalar(1)));
    assertLayerReads(true, (m, x) -> m.node("Min", m.relu(x), m.scalar(1)));
  }

  @Test
  void aMaximumWithZeroIsAReluLikeAnyOther() {
    for (boolean zeroFirst : new boolean[] {false, true}) {
      SmallModel model = new SmallModel(3, SIDE, SIDE);
      String conv = model.conv("image", 3, 8, 3, 1, 1);
      String zero = zeroFirst ? model.graphScalar(0) : model.initializer(new float[8], 8, 1, 1);
      String relu = zeroFirst ? model.node("Max", zero, conv) : model.node("Max", conv, zero);
      String second = model.conv(relu, 8, 8, 3, 1, 1);
      byte[] bytes = model.bytes(model.gemm(model.pooled(second), 8, 5));
      ImportedModel imported = ModelImporter.read(bytes, "id", "name");

      GraphNode.Other activation = (GraphNode.Other) imported.graph().writer(relu).orElseThrow();
      assertEquals("Relu", activation.node().getOpType());
      Imports.assertSameAnswers(bytes, imported, 1e-4f);
    }
  }

  @Test
  void aMaximumWithZerosThatMakeItLargerStaysOne() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String pooled = model.node("GlobalAveragePool", model.conv("image", 3, 8, 3, 1, 1));
    String large = model.node("Max", pooled, model.initializer(new float[16], 1, 1, 4, 4));
    byte[] bytes = model.bytes(model.gemm(model.pooled(large), 8, 5));
    Imports.assertSameAnswers(bytes, ModelImporter.read(bytes, "id", "name"), 1e-4f);
  }

  @Test
  void whatOnlyMovesOrAddsUpValuesKeepsThemWithoutASign() {
    assertKept((m, x) -> m.node("LRN", List.of(x), with(Nodes.integer("size", 3))));
    assertKept(
        (m, x) ->
            m.node(
                "Gather",
                List.of(x, m.initializer(7, 6, 5, 4, 3, 2, 1, 0)),
                with(Nodes.integer("axis", 1))));
    assertKept((m, x) -> m.node("Expand", x, m.initializer(1, 8, SIDE, SIDE)));
    assertKept((m, x) -> m.node("Tile", x, m.initializer(1, 1, 2, 2)));
    assertKept((m, x) -> resized(m, x, "nearest"));
    assertKept((m, x) -> resized(m, x, "linear"));
    assertLayerReads(false, (m, x) -> resized(m, m.relu(x), "cubic"));
    assertKept(
        (m, x) ->
            m.node(
                "DepthToSpace",
                List.of(m.node("Concat", List.of(x, x, x, x), with(Nodes.integer("axis", 1)))),
                with(Nodes.integer("blocksize", 2))));
    assertKept((m, x) -> m.node("ReduceSum", x, m.initializer(2, 3)));
    assertKept((m, x) -> m.node("ReduceMin", List.of(x), with(Nodes.ints("axes", 2, 3))));
    assertKept((m, x) -> m.node("Div", x, m.scalar(2)));
    assertLayerReads(false, (m, x) -> m.node("Div", m.relu(x), m.scalar(-2)));
    assertLayerReads(true, (m, x) -> m.node("Exp", x));
    assertLayerReads(true, (m, x) -> m.node("Softplus", x));
  }

  private static void assertKept(BiFunction<SmallModel, String, String> moved) {
    assertLayerReads(true, (m, x) -> moved.apply(m, m.relu(x)));
    assertLayerReads(false, moved);
  }

  private static String resized(SmallModel model, String tensor, String mode) {
    String scales = model.initializer(new float[] {1, 1, 2, 2}, 4);
    return model.node("Resize", List.of(tensor, "", scales), with(Nodes.string("mode", mode)));
  }

  private static NodeProto with(AttributeProto attribute) {
    return NodeProto.newBuilder().addAttribute(attribute).build();
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
