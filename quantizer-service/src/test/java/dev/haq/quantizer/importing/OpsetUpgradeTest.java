package dev.haq.quantizer.importing;

import static dev.haq.quantizer.importing.Imports.SIDE;
import static dev.haq.quantizer.importing.Imports.assertRefused;
import static dev.haq.quantizer.importing.Imports.assertSameAnswers;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import dev.haq.model.Reason;
import dev.haq.quantizer.onnx.CnnGraph.OutputKind;
import dev.haq.quantizer.onnx.ImportedModel;
import dev.haq.quantizer.onnx.Nodes;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Models of operator sets before 13, which are rewritten. */
final class OpsetUpgradeTest {
  @Test
  void modelsOfOlderOperatorSetsMeanTheSame() {
    for (int opset : new int[] {8, 9, 10, 11, 12}) {
      SmallModel model = new SmallModel(3, SIDE, SIDE).opset(opset);
      String conv = model.conv("image", 3, 8, 3, 1, 1);
      String clipped =
          opset < 11
              ? model.node(
                  "Clip",
                  List.of(conv),
                  NodeProto.newBuilder()
                      .addAttribute(real("min", 0))
                      .addAttribute(real("max", 6))
                      .build())
              : model.relu6(conv);
      String sliced =
          opset < 10
              ? model.node(
                  "Slice",
                  List.of(clipped),
                  NodeProto.newBuilder()
                      .addAttribute(Nodes.ints("starts", 1, 1))
                      .addAttribute(Nodes.ints("ends", 7, 7))
                      .addAttribute(Nodes.ints("axes", 2, 3))
                      .build())
              : model.node(
                  "Slice",
                  clipped,
                  model.initializer(1, 1),
                  model.initializer(7, 7),
                  model.initializer(2, 3));
      String padded =
          opset < 11
              ? model.node(
                  "Pad",
                  List.of(sliced),
                  NodeProto.newBuilder()
                      .addAttribute(Nodes.ints("pads", 0, 0, 1, 1, 0, 0, 1, 1))
                      .build())
              : model.node("Pad", sliced, model.initializer(0, 0, 1, 1, 0, 0, 1, 1));
      String dropped = model.node("Dropout", model.relu(model.conv(padded, 8, 8, 3, 1, 1)));
      String squeezed =
          model.node(
              "Squeeze",
              List.of(model.node("GlobalAveragePool", dropped)),
              NodeProto.newBuilder().addAttribute(Nodes.ints("axes", 2, 3)).build());
      byte[] bytes = model.bytes(model.node("Softmax", model.gemm(squeezed, 8, 5)));
      ImportedModel imported = ModelImporter.read(bytes, "id", "name");

      assertEquals(OutputKind.PROBABILITIES, imported.graph().outputKind());
      assertSameAnswers(bytes, imported, 1e-4f);
    }
  }

  @Test
  void aSoftmaxOfAnOldOperatorSetIsOverAllDimensionsFromItsAxisOn() {
    for (String type : List.of("Softmax", "LogSoftmax", "Hardmax")) {
      for (Integer axis : new Integer[] {null, 1, 2, 3, -1, -2}) {
        SmallModel model = new SmallModel(3, SIDE, SIDE).opset(12);
        NodeProto.Builder attributes = NodeProto.newBuilder();
        if (axis != null) {
          attributes.addAttribute(Nodes.integer("axis", axis));
        }
        String conv = model.conv("image", 3, 8, 3, 2, 1);
        String attention = model.node(type, List.of(conv), attributes.build());
        String weighted = model.node("Mul", conv, attention);
        byte[] bytes = model.bytes(model.gemm(model.pooled(weighted), 8, 5));
        assertSameAnswers(bytes, ModelImporter.read(bytes, "id", "name"), 1e-4f);
      }
    }
  }

  @Test
  void aSoftmaxOfAnOldOperatorSetOnScoresMakesThemProbabilities() {
    SmallModel model = new SmallModel(3, SIDE, SIDE).opset(9);
    // As SqueezeNet ends: [batch, classes, 1, 1].
    String scores = model.node("GlobalAveragePool", model.conv("image", 3, 5, 3, 1, 1));
    byte[] bytes = model.bytes(model.node("Softmax", model.node("Identity", scores)));
    ImportedModel imported = ModelImporter.read(bytes, "id", "name");

    assertEquals(OutputKind.PROBABILITIES, imported.graph().outputKind());
    assertFalse(imported.graph().fixedBatch());
    assertSameAnswers(bytes, imported, 1e-4f);
  }

  @Test
  void resizesOfSetsElevenAndTwelveMeanTheSame() {
    for (int opset : new int[] {11, 12}) {
      byte[] bytes = resized(opset, "asymmetric");
      assertSameAnswers(bytes, ModelImporter.read(bytes, "id", "name"), 1e-4f);
    }
  }

  @Test
  void resizesThatLaterSetsDoNotHaveAreRefused() {
    String gone = assertRefused(Reason.UNSUPPORTED_OPERATOR, resized(11, "tf_half_pixel_for_nn"));
    assertTrue(gone.contains("tf_half_pixel_for_nn"), gone);
    SmallModel model = new SmallModel(3, SIDE, SIDE).opset(10);
    String features = model.conv("image", 3, 8, 3, 1, 1);
    String wide = model.node("Resize", features, model.initializer(new float[] {1, 1, 2, 2}, 4));
    assertRefused(Reason.UNSUPPORTED_OPERATOR, model.bytes(model.gemm(model.pooled(wide), 8, 5)));
  }

  private static byte[] resized(int opset, String coordinates) {
    SmallModel model = new SmallModel(3, SIDE, SIDE).opset(opset);
    String features = model.conv("image", 3, 8, 3, 1, 1);
    String region = model.initializer(new float[0], 0);
    String scales = model.initializer(new float[] {1, 1, 2, 2}, 4);
    String wide =
        model.node(
            "Resize",
            List.of(features, region, scales),
            NodeProto.newBuilder()
                .addAttribute(Nodes.string("mode", "nearest"))
                .addAttribute(Nodes.string("coordinate_transformation_mode", coordinates))
                .addAttribute(Nodes.string("nearest_mode", "floor"))
                .build());
    return model.bytes(model.gemm(model.pooled(model.conv(wide, 8, 8, 3, 2, 1)), 8, 5));
  }

  @Test
  void theBranchesOfAnIfAreRewrittenToo() {
    for (int opset : new int[] {11, 12}) {
      SmallModel model = new SmallModel(3, SIDE, SIDE).opset(opset);
      String pooled = model.node("GlobalAveragePool", model.conv("image", 3, 8, 3, 1, 1));
      NodeProto squeeze =
          Nodes.node("Squeeze", List.of(pooled), "squeezed")
              .addAttribute(Nodes.ints("axes", 2, 3))
              .build();
      NodeProto flatten = Nodes.node("Flatten", List.of(pooled), "flat").build();
      byte[] bytes = model.bytes(model.gemm(Imports.either(model, squeeze, flatten), 8, 5));
      assertSameAnswers(bytes, ModelImporter.read(bytes, "id", "name"), 1e-4f);
    }
  }

  @Test
  void anOperatorSetThatIsTooOldIsRefused() {
    SmallModel model = new SmallModel(3, SIDE, SIDE).opset(6);
    assertRefused(
        Reason.INVALID_MODEL,
        model.bytes(model.gemm(model.pooled(model.conv("image", 3, 8, 3, 1, 1)), 8, 5)));
  }

  private static AttributeProto real(String name, float value) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeProto.AttributeType.FLOAT)
        .setF(value)
        .build();
  }
}
