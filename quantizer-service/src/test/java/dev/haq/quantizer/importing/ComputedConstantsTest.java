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
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.ByteString;
import dev.haq.model.Reason;
import dev.haq.quantizer.onnx.ImportedModel;
import dev.haq.quantizer.onnx.Nodes;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

final class ComputedConstantsTest {
  private final SmallModel model = new SmallModel(3, SIDE, SIDE);

  @Test
  void whatTruthValuesAreMadeOfStaysWithThem() {
    String marks = model.initializer(new float[] {0, 1, 0}, 3);
    String column = model.node("Unsqueeze", marks, model.initializer(1, 2));
    String mask = model.node("Equal", column, model.initializer(new float[] {1}, 1));
    String zero = model.initializer(new float[] {0}, 1);
    byte[] bytes = model.bytes(network(model, model.node("Where", mask, zero, "image")));
    ImportedModel imported = ModelImporter.read(bytes, "id", "name");

    assertEquals(4, imported.network().size());
    assertSameAnswers(bytes, imported, 1e-4f);
  }

  @Test
  @Timeout(60)
  void aLongChainOfConstantsIsComputedOnce() {
    String constant = model.initializer(new float[] {1e-6f}, 1);
    String image = "image";
    for (int i = 0; i < 2000; i++) {
      constant = model.node("Neg", constant);
      image = model.node("Add", image, constant);
    }
    byte[] bytes = model.bytes(network(model, image));
    assertSameAnswers(bytes, ModelImporter.read(bytes, "id", "name"), 1e-3f);
  }

  @Test
  void windowsOfConstantsAreCheckedBeforeTheyAreComputed() {
    String output = network(model, model.node("Add", "image", convolved()));
    assertOtherDimensions(model.bytes(output));
  }

  @Test
  void windowsOfConstantsThatNobodyReadsAreCheckedToo() {
    convolved();
    String shift = model.node("Neg", model.initializer(new float[] {1}, 1));
    assertOtherDimensions(model.bytes(network(model, model.node("Add", "image", shift))));
  }

  @Test
  void windowsInBranchesAreChecked() {
    for (boolean constant : new boolean[] {true, false}) {
      SmallModel branched = new SmallModel(3, SIDE, SIDE);
      branched
          .graph()
          .addInitializer(
              TensorProto.newBuilder()
                  .setName("yes")
                  .setDataType(TensorProto.DataType.BOOL.getNumber())
                  .setRawData(ByteString.copyFrom(new byte[] {1})));
      String still = branched.initializer(branched.values(3 * SIDE * SIDE, 1), 1, 3, SIDE, SIDE);
      String weights = branched.initializer(branched.values(81, 0.1), 3, 3, 3, 3);
      NodeProto branches =
          NodeProto.newBuilder()
              .addAttribute(branch("then_branch", constant ? still : "image", weights))
              .addAttribute(branch("else_branch", constant ? still : "image", weights))
              .build();
      String chosen = branched.node("If", List.of("yes"), branches);
      String sum = branched.node("Add", "image", chosen);
      assertOtherDimensions(branched.bytes(network(branched, sum)));
    }
  }

  @Test
  void paddingBelowAllNumbersOfAnImageIsRefused() {
    for (long pad : new long[] {Long.MIN_VALUE, Long.MAX_VALUE}) {
      SmallModel padded = new SmallModel(3, SIDE, SIDE);
      NodeProto window =
          NodeProto.newBuilder()
              .addAttribute(Nodes.ints("kernel_shape", 2, 2))
              .addAttribute(Nodes.ints("pads", pad, 0, 0, 0))
              .build();
      String pool = padded.node("MaxPool", List.of("image"), window);
      String message = assertRefused(Reason.INVALID_MODEL, padded.bytes(network(padded, pool)));
      assertTrue(message.contains("pads by more than"), message);
    }
  }

  private static void assertOtherDimensions(byte[] bytes) {
    String message = assertRefused(Reason.INVALID_MODEL, bytes);
    assertTrue(message.contains("different dimensions"), message);
  }

  /** A convolution of constants that has fewer strides than dimensions. */
  private String convolved() {
    String still = model.initializer(model.values(3 * SIDE * SIDE, 1), 1, 3, SIDE, SIDE);
    String weights = model.initializer(model.values(81, 0.1), 3, 3, 3, 3);
    return model.node("Conv", List.of(still, weights), oneStride());
  }

  private static NodeProto oneStride() {
    return NodeProto.newBuilder()
        .addAttribute(Nodes.ints("strides", 1))
        .addAttribute(Nodes.ints("pads", 1, 1, 1, 1))
        .build();
  }

  private static AttributeProto branch(String name, String input, String weights) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeProto.AttributeType.GRAPH)
        .setG(
            GraphProto.newBuilder()
                .setName(name)
                .addNode(
                    Nodes.node("Conv", List.of(input, weights), name + "/result")
                        .addAllAttribute(oneStride().getAttributeList()))
                .addOutput(ValueInfoProto.newBuilder().setName(name + "/result")))
        .build();
  }
}
