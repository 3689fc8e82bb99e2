package dev.haq.quantizer.importing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.haq.model.Reason;
import dev.haq.quantizer.onnx.Nodes;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ScoreOutputTest {
  private final SmallModel model = new SmallModel(3, 8, 8);

  private static ValueInfoProto output(String name, long... sizes) {
    TypeProto.Tensor.Builder tensor =
        TypeProto.Tensor.newBuilder().setElemType(TensorProto.DataType.FLOAT.getNumber());
    tensor.getShapeBuilder().addDimBuilder().setDimParam("batch");
    for (long size : sizes) {
      tensor.getShapeBuilder().addDimBuilder().setDimValue(size);
    }
    return ValueInfoProto.newBuilder()
        .setName(name)
        .setType(TypeProto.newBuilder().setTensorType(tensor))
        .build();
  }

  private String scores(ValueInfoProto... outputs) {
    GraphProto graph =
        model.graph().build().toBuilder().clearOutput().addAllOutput(List.of(outputs)).build();
    return ScoreOutput.of(graph, graph.getNodeList());
  }

  private static NodeProto axis() {
    return NodeProto.newBuilder().addAttribute(Nodes.integer("axis", 1)).build();
  }

  @Test
  void featuresThatALayerReadsAreNoScores() {
    String features = model.pooled(model.conv("image", 3, 8, 3, 1, 1));
    String scores = model.gemm(features, 8, 5);
    assertEquals(scores, scores(output(features, 8), output(scores, 5)));
    assertEquals(scores, scores(output(scores, 5), output(features, 8)));
    assertEquals(scores, scores(output(features, 8), output(features, 8), output(scores, 5)));
    assertEquals(scores, scores(output(features, 8), output(scores, 5, 1, 1)));
  }

  @Test
  void whatIsNoListOfClassesReplacesNoScores() {
    String scores = model.gemm(model.pooled(model.conv("image", 3, 8, 3, 1, 1)), 8, 5);
    String picture = model.node("Reshape", model.gemm(scores, 5, 192), model.initializer(0, 3, 8));
    assertEquals(scores, scores(output(scores, 5), output(picture, 3, 8, 8)));
    assertEquals(scores, scores(output(scores, 5), output(picture, 3, 64)));
  }

  /** As networks of capsules answer the image again, drawn of the class that they see. */
  @Test
  void whatIsDrawnOfTheBestClassReplacesNoScores() {
    String features = model.pooled(model.conv("image", 3, 8, 3, 1, 1));
    String scores = model.gemm(features, 8, 5);
    String best = model.node("ArgMax", List.of(scores), axis());
    String mask = model.cast(best, TensorProto.DataType.FLOAT);
    String drawn = model.gemm(model.node("Mul", features, mask), 8, 192);
    assertEquals(scores, scores(output(scores, 5), output(drawn, 192)));

    String most =
        model.node("TopK", List.of(scores, model.initializer(1)), NodeProto.getDefaultInstance());
    NodeProto.Builder places =
        model.graph().getNodeBuilder(model.graph().getNodeCount() - 1).addOutput("places");
    assertEquals(most, places.getOutput(0));
    String again = model.gemm(model.cast("places", TensorProto.DataType.FLOAT), 1, 192);
    assertEquals(scores, scores(output(scores, 5), output(again, 192)));
  }

  @Test
  void manyOutputsTakeNoLongerThanOne() {
    String features = "image";
    GraphProto.Builder all = GraphProto.newBuilder();
    for (int i = 0; i < GraphLimits.MOST_NODES - 1; i++) {
      features = model.relu(features);
      all.addOutput(output(features, 5));
    }
    String scores = model.gemm(features, 8, 5);
    all.addOutput(output(scores, 5)).addAllNode(model.graph().getNodeList());
    assertTimeoutPreemptively(
        Duration.ofSeconds(20),
        () -> assertEquals(scores, ScoreOutput.of(all.build(), all.getNodeList())));
    Imports.assertRefused(
        Reason.TOO_LARGE,
        model.model(scores).toBuilder()
            .setGraph(model.graph().clearOutput().addAllOutput(all.getOutputList()))
            .build()
            .toByteArray());
  }
}
