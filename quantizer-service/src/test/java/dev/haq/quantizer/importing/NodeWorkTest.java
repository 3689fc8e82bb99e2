package dev.haq.quantizer.importing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.AttributeProto;
import dev.haq.model.Reason;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.Nodes;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class NodeWorkTest {
  private final Map<String, List<Integer>> shapes = new HashMap<>();

  private double work(String type, List<String> inputs, AttributeProto... attributes) {
    return new NodeWork(Map.of(), shapes)
        .of(Nodes.node(type, inputs, "result").addAllAttribute(List.of(attributes)).build());
  }

  @Test
  void convolutionsAreCountedByTheirWeightsWhereverTheseCome() {
    shapes.put("x", List.of(1, 6, 10, 10));
    shapes.put("w", List.of(8, 3, 5, 5));
    shapes.put("result", List.of(1, 8, 10, 10));
    assertEquals(800 * 75, work("Conv", List.of("x", "w")));
    shapes.put("w", List.of(6, 4, 5, 5));
    assertEquals(600 * 100, work("ConvTranspose", List.of("x", "w")));
  }

  @Test
  void productsOfMatricesAreCountedByWhatIsAddedUp() {
    shapes.put("a", List.of(20, 30));
    shapes.put("b", List.of(30, 40));
    shapes.put("result", List.of(20, 40));
    for (String type : List.of("MatMul", "Gemm")) {
      assertEquals(20 * 30 * 40, work(type, List.of("a", "b")), type);
    }
    assertEquals(
        20 * 30 * 40, work("Einsum", List.of("a", "b"), Nodes.string("equation", "ik, kj -> ij")));
    shapes.put("a", List.of(7, 20, 30));
    shapes.put("b", List.of(7, 30, 40));
    shapes.put("result", List.of(7, 20, 40));
    assertEquals(
        7 * 20 * 30 * 40,
        work("Einsum", List.of("a", "b"), Nodes.string("equation", "...ik,...kj->...ij")));
    shapes.put("a", List.of(30, 20));
    shapes.put("result", List.of(20, 40));
    assertEquals(20 * 30 * 40, work("Gemm", List.of("a", "b"), Nodes.integer("transA", 1)));
  }

  @Test
  void recurrentLayersAreCountedByStep() {
    shapes.put("x", List.of(100, 1, 8));
    shapes.put("w", List.of(1, 64, 8));
    shapes.put("r", List.of(1, 64, 16));
    shapes.put("result", List.of(100, 1, 1, 16));
    assertEquals(100 * (64 * 8 + 64 * 16), work("LSTM", List.of("x", "w", "r")));
  }

  @Test
  void additionsTakeNoProductOfWhatTheyRead() {
    shapes.put("x", List.of(1, 200, 300));
    shapes.put("y", List.of(1, 200, 300));
    shapes.put("result", List.of(1, 200, 300));
    assertEquals(120_000, work("Add", List.of("x", "y")));
    assertEquals(120_000, own("RotaryEmbedding", List.of("x", "y")));
    assertEquals(120_000, own("SkipLayerNormalization", List.of("x", "y")));
    assertEquals(60_000.0 * 120_000, own("NotKnown", List.of("x", "y")));
  }

  private double own(String type, List<String> inputs) {
    return new NodeWork(Map.of(), shapes)
        .of(Nodes.node(type, inputs, "result").setDomain(CnnGraph.MICROSOFT).build());
  }

  /** ViT-B and ViT-L of 224 and of 384 pixels, by block. */
  @ParameterizedTest
  @CsvSource({"197,768,12", "197,1024,16", "577,768,12", "577,1024,16"})
  void attentionIsCountedByTokens(int tokens, int width, int heads) {
    double products = 2.0 * tokens * tokens * width;
    shapes.put("x", List.of(1, tokens, width));
    shapes.put("result", List.of(1, tokens, width));
    List<String> three = List.of("x", "x", "x");
    assertBetween(products, 6 * products, work("Attention", three));
    assertBetween(products, 6 * products, own("MultiHeadAttention", three));

    shapes.put("w", List.of(width, 3 * width));
    shapes.put("b", List.of(3 * width));
    double layers = 3.0 * tokens * width * width;
    double whole = own("Attention", List.of("x", "w", "b"));
    assertBetween(layers + products, layers + 3 * products, whole);
    assertTrue(24 * whole < 1e11, "all blocks: " + 24 * whole);

    shapes.put("x", List.of(1, heads, tokens, width / heads));
    shapes.put("result", List.of(1, heads, tokens, width / heads));
    assertBetween(products, 6 * products, work("Attention", three));
  }

  private static void assertBetween(double low, double high, double actual) {
    assertTrue(low <= actual && actual <= high, actual + " of " + low + " to " + high);
  }

  @Test
  void productsOfMatricesAreCountedByEither() {
    shapes.put("b", List.of(30, 40));
    shapes.put("result", List.of(20, 40));
    assertEquals(20 * 30 * 40, work("MatMul", List.of("a", "b")));
    assertEquals(20 * 30 * 40, work("Gemm", List.of("a", "b")));
    shapes.put("b", List.of(40, 30));
    assertEquals(20 * 30 * 40, work("Gemm", List.of("a", "b"), Nodes.integer("transB", 1)));
  }

  @Test
  void whatDependsOnUnknownShapesIsNotKnown() {
    shapes.put("result", List.of(20, 40));
    assertEquals(Double.POSITIVE_INFINITY, work("MatMul", List.of("a", "b")));
    assertEquals(Double.POSITIVE_INFINITY, work("Attention", List.of("a", "b", "b")));
  }

  @Test
  void computedOperandsCountAsConstantsDo() {
    SmallModel model = new SmallModel(3, Imports.SIDE, Imports.SIDE);
    String mean =
        model.node(
            "Reshape",
            model.node("ReduceMean", List.of("image"), allAxes()),
            model.initializer(1, 1));
    String table = model.node("Expand", mean, model.initializer(4096, 4096));
    for (int i = 0; i < 15; i++) {
      table = model.node("Gemm", table, table); // 7e10 each
    }
    String shift = model.node("ReduceMean", List.of(table), allAxes());
    String message =
        Imports.assertRefused(
            Reason.TOO_LARGE,
            model.bytes(Imports.network(model, model.node("Add", "image", shift))));
    assertTrue(message.contains("multiplications"), message);
  }

  private static ai.onnx.proto.OnnxMl.NodeProto allAxes() {
    return ai.onnx.proto.OnnxMl.NodeProto.newBuilder()
        .addAttribute(Nodes.integer("keepdims", 0))
        .build();
  }
}
