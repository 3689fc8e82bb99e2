package dev.haq.quantizer.importing;

import static dev.haq.quantizer.importing.Imports.SIDE;
import static dev.haq.quantizer.importing.Imports.assertRefused;
import static dev.haq.quantizer.importing.Imports.assertSameAnswers;
import static dev.haq.quantizer.importing.Imports.network;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.FunctionProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.haq.model.Layer;
import dev.haq.model.Reason;
import dev.haq.quantizer.graphs.FloatGraph;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.ImportedModel;
import dev.haq.quantizer.onnx.Nodes;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Models that bring functions of their own. */
final class InlinedFunctionsTest {
  @Test
  void functionsInACircleAndFunctionsThatMultiplyOrCallTooDeepAreRefused() {
    assertRefused(Reason.INVALID_MODEL, functions(3, 2, true));
    assertRefused(Reason.TOO_LARGE, functions(40, 2, false));
    assertRefused(Reason.TOO_LARGE, functions(15_000, 1, false));
    byte[] few = functions(3, 2, false);
    ImportedModel imported = ModelImporter.read(few, "id", "name");
    assertEquals(4, imported.network().size());
    assertSameAnswers(few, imported, 1e-4f);
  }

  @Test
  void layersWithinFunctionsAreFound() {
    byte[] bytes = withBlocks(13);
    ImportedModel imported = ModelImporter.read(bytes, "id", "name");
    assertEquals(4, imported.network().size());
    assertEquals("second/block/conv", imported.network().layer(2).name());
    Layer.Conv2d strided = (Layer.Conv2d) imported.network().layer(2);
    assertEquals(2, strided.window().strideHeight());
    assertSameAnswers(bytes, imported, 1e-4f);
    CnnGraph again =
        ModelImporter.read(
                FloatGraph.write(imported.graph(), List.of(imported.graph().output()))
                    .toByteArray(),
                "id",
                "name")
            .graph();
    assertEquals(4, again.layers().size());
  }

  @Test
  void branchesWithinAFunctionReadItsTensors() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String stem = model.conv("image", 3, 8, 3, 1, 1);
    NodeProto local = NodeProto.newBuilder().setDomain("local").build();
    String gated = model.node("Gated", List.of(stem), local);
    String features = model.node("Gated", List.of(model.conv(gated, 8, 8, 1, 1, 1)), local);
    ModelProto.Builder built =
        model.model(model.gemm(model.pooled(features), 8, 5)).toBuilder().setIrVersion(9);
    built.addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("local").setVersion(1));
    NodeProto.Builder sum =
        Nodes.node("ReduceSum", List.of("m"), "sum").addAttribute(Nodes.integer("keepdims", 0));
    NodeProto.Builder choice =
        Nodes.node("If", List.of("negative"), "y")
            .addAttribute(branch("then_branch", "Neg"))
            .addAttribute(branch("else_branch", "Relu"));
    built.addFunctions(
        FunctionProto.newBuilder()
            .setDomain("local")
            .setName("Gated")
            .addInput("x")
            .addOutput("y")
            .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(13))
            .addNode(Nodes.node("Abs", List.of("x"), "m"))
            .addNode(sum)
            .addNode(Nodes.node("Less", List.of("sum", "sum"), "negative"))
            .addNode(choice));
    byte[] bytes = built.build().toByteArray();
    ImportedModel imported = ModelImporter.read(bytes, "id", "name");
    assertEquals(3, imported.network().size());
    assertSameAnswers(bytes, imported, 1e-4f);
  }

  /** Reads x of the function around it. */
  private static AttributeProto branch(String name, String type) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeProto.AttributeType.GRAPH)
        .setG(
            GraphProto.newBuilder()
                .setName(name)
                .addNode(Nodes.node(type, List.of("x"), name + "/result"))
                .addOutput(
                    ValueInfoProto.newBuilder()
                        .setName(name + "/result")
                        .setType(
                            TypeProto.newBuilder()
                                .setTensorType(TypeProto.Tensor.newBuilder().setElemType(1)))))
        .build();
  }

  @Test
  void aFunctionOfAnotherOperatorSetIsNamed() {
    byte[] bytes = withBlocks(12);
    String message = assertRefused(Reason.UNSUPPORTED_OPERATOR, bytes);
    assertTrue(message.contains("local:Twice"), message);
  }

  /**
   * Conv, then Block and, around Block, Twice: its strides come from the caller or from its
   * default, its bias may be left out, and all functions name their tensors alike.
   */
  private static byte[] withBlocks(int functionSet) {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String stem = model.conv("image", 3, 8, 3, 1, 1);
    String weights = model.initializer(model.values(8 * 8 * 9, 0.1), 8, 8, 3, 3);
    String bias = model.initializer(model.values(8, 0.1), 8);
    NodeProto local = NodeProto.newBuilder().setDomain("local").setName("first").build();
    String first = model.node("Twice", List.of(stem, weights), local);
    NodeProto strided =
        local.toBuilder().setName("second").addAttribute(Nodes.ints("step", 2, 2)).build();
    String second = model.node("Twice", List.of(first, weights, bias), strided);
    ModelProto.Builder built = model.model(model.gemm(model.pooled(second), 8, 5)).toBuilder();
    built.setIrVersion(9);
    built.addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("local").setVersion(1));
    FunctionProto base =
        FunctionProto.newBuilder()
            .setDomain("local")
            .addAllInput(List.of("x", "w", "b"))
            .addOutput("y")
            .addAttributeProto(Nodes.ints("step", 1, 1))
            .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(functionSet))
            .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("local").setVersion(1))
            .build();
    NodeProto.Builder conv =
        Nodes.node("Conv", List.of("x", "w", "b"), "m")
            .setName("conv")
            .addAttribute(Nodes.ints("pads", 1, 1, 1, 1))
            .addAttribute(reference("strides"));
    built.addFunctions(
        base.toBuilder()
            .setName("Block")
            .addNode(conv)
            .addNode(Nodes.node("Relu", List.of("m"), "y")));
    NodeProto.Builder block =
        Nodes.node("Block", List.of("x", "w", "b"), "m")
            .setName("block")
            .setDomain("local")
            .addAttribute(reference("step"));
    built.addFunctions(
        base.toBuilder()
            .setName("Twice")
            .addNode(block)
            .addNode(Nodes.node("Add", List.of("m", "m"), "y")));
    return built.build().toByteArray();
  }

  private static AttributeProto reference(String name) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeProto.AttributeType.INTS)
        .setRefAttrName("step")
        .build();
  }

  /** Each function calls the next once or twice; the last is a Relu, or calls the first. */
  private static byte[] functions(int count, int calls, boolean circle) {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String called =
        model.node("f0", List.of("image"), NodeProto.newBuilder().setDomain("local").build());
    ModelProto.Builder built = model.model(network(model, called)).toBuilder();
    built.addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("local").setVersion(1));
    built.setIrVersion(8);
    for (int i = 0; i < count; i++) {
      boolean last = i == count - 1 && !circle;
      String next = last ? "Relu" : "f" + (i + 1) % count;
      FunctionProto.Builder function =
          FunctionProto.newBuilder()
              .setName("f" + i)
              .setDomain("local")
              .addInput("x")
              .addOutput("y");
      for (OperatorSetIdProto set : built.getOpsetImportList()) {
        function.addOpsetImport(set);
      }
      List<String> steps = calls == 1 ? List.of("x", "y") : List.of("x", "m", "y");
      for (int step = 0; step < calls; step++) {
        function.addNode(
            NodeProto.newBuilder()
                .setOpType(next)
                .setDomain(last ? "" : "local")
                .addInput(steps.get(step))
                .addOutput(steps.get(step + 1)));
      }
      built.addFunctions(function);
    }
    return built.build().toByteArray();
  }
}
