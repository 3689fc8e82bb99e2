package dev.haq.quantizer.importing;

import static dev.haq.quantizer.importing.Imports.SIDE;
import static dev.haq.quantizer.importing.Imports.assertRefused;
import static dev.haq.quantizer.importing.Imports.assertSameAnswers;
import static dev.haq.quantizer.importing.Imports.network;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.haq.model.Reason;
import dev.haq.quantizer.onnx.ImportedModel;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Tensors;
import java.util.List;
import org.junit.jupiter.api.Test;

final class BranchesTest {
  private final SmallModel model = new SmallModel(3, SIDE, SIDE);

  @Test
  void tensorsThatAreTooLargeAreFoundInBranches() {
    String message = assertRefused(Reason.TOO_LARGE, with(filled(1 << 14, 1 << 14)));
    assertTrue(message.contains("ConstantOfShape"), message);
  }

  @Test
  void workIsCountedInBranches() {
    GraphProto.Builder graph = filled(4096, 4096);
    String table = "table";
    for (int i = 0; i < 20; i++) {
      graph.addNode(Nodes.node("MatMul", List.of(table, "table"), "product" + i)); // 7e10 each
      table = "product" + i;
    }
    graph.setNode(1, Nodes.node("Neg", List.of("table"), "unread").build());
    graph.addNode(Nodes.node("ReduceMax", List.of(table), "most"));
    String message = assertRefused(Reason.TOO_LARGE, with(graph));
    assertTrue(message.contains("MatMul"), message);
  }

  @Test
  void constantsOfBranchesAreFew() {
    GraphProto.Builder graph = filled(1, 1);
    for (int i = 0; i < GraphLimits.MOST_NODES; i++) {
      graph.addInitializer(Tensors.of("number" + i, new float[] {1}));
    }
    String message = assertRefused(Reason.TOO_LARGE, with(graph));
    assertTrue(message.contains("nodes"), message);
  }

  @Test
  void whatBranchesWithinBranchesComputeIsCounted() {
    GraphProto inner = filled(1 << 14, 1 << 14).build();
    GraphProto.Builder outer = GraphProto.newBuilder().setName("outer");
    outer.addNode(either(inner, "chosen"));
    outer.addOutput(ValueInfoProto.newBuilder().setName("chosen"));
    assertRefused(Reason.TOO_LARGE, with(outer));
  }

  @Test
  void aSizeThatABranchComputesOfValuesIsRefused() {
    GraphProto.Builder graph = GraphProto.newBuilder().setName("graph");
    graph.addNode(Nodes.node("NonZero", List.of("image"), "places"));
    graph.addNode(Nodes.node("Shape", List.of("places"), "sizes"));
    graph.addNode(Nodes.node("Mul", List.of("sizes", "sizes"), "larger"));
    graph.addNode(Nodes.node("ConstantOfShape", List.of("larger"), "table"));
    graph.addNode(Nodes.node("ReduceMax", List.of("table"), "most"));
    graph.addOutput(ValueInfoProto.newBuilder().setName("most"));
    String message = assertRefused(Reason.UNSUPPORTED_OPERATOR, with(graph));
    assertTrue(message.contains("not known before it runs"), message);
  }

  /** As exporters write x.mean() and sizes: numbers without dimensions, under the same names. */
  @Test
  void branchesWithNumbersOfTheirOwnAreTaken() {
    GraphProto.Builder inner = GraphProto.newBuilder().setName("inner");
    inner.addInitializer(Tensors.of("number", new float[] {0.5f}));
    inner.addNode(
        Nodes.node("ReduceMean", List.of("image"), "mean")
            .addAttribute(Nodes.integer("keepdims", 0)));
    inner.addNode(Nodes.node("Mul", List.of("mean", "number"), "half"));
    inner.addNode(Nodes.node("Add", List.of("image", "half"), "result"));
    inner.addOutput(ValueInfoProto.newBuilder().setName("result"));
    GraphProto.Builder outer = GraphProto.newBuilder().setName("outer");
    outer.addInitializer(Tensors.of("number", new float[] {2}));
    outer.addNode(either(inner.build(), "chosen"));
    outer.addNode(Nodes.node("Mul", List.of("chosen", "number"), "twice"));
    outer.addOutput(ValueInfoProto.newBuilder().setName("twice"));
    String chosen = chosen(outer.build());
    byte[] bytes = model.bytes(network(model, chosen));
    ImportedModel imported = ModelImporter.read(bytes, "id", "name");

    assertEquals(4, imported.network().size());
    assertTrue(imported.graph().shapes().keySet().stream().noneMatch(Branches::isInner));
    assertSameAnswers(bytes, imported, 1e-3f);
  }

  /** A number that is read off a tensor of ones. */
  private static GraphProto.Builder filled(long... sizes) {
    return GraphProto.newBuilder()
        .setName("filled")
        .addInitializer(Tensors.of("sizes", sizes, sizes.length))
        .addNode(Nodes.node("ConstantOfShape", List.of("sizes"), "table"))
        .addNode(Nodes.node("ReduceMax", List.of("table"), "most"))
        .addOutput(ValueInfoProto.newBuilder().setName("most"));
  }

  private byte[] with(GraphProto.Builder graph) {
    return model.bytes(network(model, model.node("Add", "image", chosen(graph.build()))));
  }

  private String chosen(GraphProto graph) {
    return model.node("If", List.of(bright()), attributes(graph));
  }

  private NodeProto either(GraphProto graph, String output) {
    return attributes(graph).toBuilder()
        .setOpType("If")
        .setName(output)
        .addInput(bright())
        .addOutput(output)
        .build();
  }

  private static NodeProto attributes(GraphProto graph) {
    NodeProto.Builder node = NodeProto.newBuilder();
    for (String branch : List.of("then_branch", "else_branch")) {
      node.addAttribute(
          AttributeProto.newBuilder()
              .setName(branch)
              .setType(AttributeProto.AttributeType.GRAPH)
              .setG(graph));
    }
    return node.build();
  }

  private String bright() {
    NodeProto none = NodeProto.newBuilder().addAttribute(Nodes.integer("keepdims", 0)).build();
    return model.node(
        "Greater", model.node("ReduceMean", List.of("image"), none), model.graphScalar(1000));
  }
}
