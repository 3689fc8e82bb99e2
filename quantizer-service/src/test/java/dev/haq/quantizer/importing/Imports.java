package dev.haq.quantizer.importing;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.quantizer.graphs.FloatGraph;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.ImportedModel;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Ort;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;

/** What tests of the import ask: ONNX Runtime's own answer to a model is the judge. */
public final class Imports {
  /** Height and width of the models' images, of three channels. */
  public static final int SIDE = 8;

  private Imports() {}

  /** The imported network answers two images as the file does. */
  static void assertSameAnswers(byte[] original, ImportedModel imported, float tolerance) {
    assertSameAnswers(original, imported, tolerance, 2);
  }

  static void assertSameAnswers(
      byte[] original, ImportedModel imported, float tolerance, int images) {
    CnnGraph graph = imported.graph();
    byte[] normal = FloatGraph.write(graph, List.of(graph.output())).toByteArray();
    assertArrayEquals(answers(original, images), answers(normal, images), tolerance);
  }

  /** Normally distributed, [images][3][SIDE][SIDE]. */
  static float[] images(int images) {
    return new SmallModel(1, 1, 1).values(images * 3 * SIDE * SIDE, 1);
  }

  static float[] answers(byte[] model, int images) {
    try (OnnxTensor input =
        OnnxTensor.createTensor(
            Ort.environment(),
            FloatBuffer.wrap(images(images)),
            new long[] {images, 3, SIDE, SIDE})) {
      return run(model, input);
    } catch (OrtException e) {
      throw new AssertionError(e);
    }
  }

  public static float[] run(byte[] model, OnnxTensor input) throws OrtException {
    try (OrtSession session = Ort.open(model, Ort.Rewriting.NONE);
        OrtSession.Result result =
            session.run(Map.of(session.getInputNames().iterator().next(), input))) {
      FloatBuffer scores = ((OnnxTensor) result.get(0)).getFloatBuffer();
      float[] answers = new float[scores.remaining()];
      scores.get(answers);
      return answers;
    }
  }

  /** The import refuses the file in one line, which is answered. */
  static String assertRefused(Reason reason, byte[] bytes) {
    HaqException refusal =
        assertThrows(HaqException.class, () -> ModelImporter.read(bytes, "id", "name"));
    assertEquals(reason, refusal.reason(), refusal.getMessage());
    assertFalse(refusal.getMessage().contains("\n"), refusal.getMessage());
    return refusal.getMessage();
  }

  /**
   * A node that computes the second tensor where images are very bright on average, else the first.
   */
  static String either(SmallModel model, NodeProto usually, NodeProto seldom) {
    String mean =
        model.node(
            "ReduceMean",
            List.of("image"),
            NodeProto.newBuilder().addAttribute(Nodes.integer("keepdims", 0)).build());
    String bright = model.node("Greater", mean, model.graphScalar(1000));
    return model.node(
        "If",
        List.of(bright),
        NodeProto.newBuilder()
            .addAttribute(branch("then_branch", seldom))
            .addAttribute(branch("else_branch", usually))
            .build());
  }

  private static AttributeProto branch(String name, NodeProto node) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeProto.AttributeType.GRAPH)
        .setG(
            GraphProto.newBuilder()
                .setName(name)
                .addNode(node)
                .addOutput(ValueInfoProto.newBuilder().setName(node.getOutput(0))))
        .build();
  }

  /** Conv, batch-norm, ReLU, depthwise Conv, a residual addition, Conv and Gemm: four layers. */
  static String network(SmallModel model, String input) {
    String first = model.relu(model.batchNorm(model.conv(input, 3, 8, 3, 1, 1), 8));
    String sum = model.node("Add", first, model.conv(first, 8, 8, 3, 1, 8));
    return model.gemm(model.pooled(model.conv(sum, 8, 8, 1, 1, 1)), 8, 5);
  }
}
