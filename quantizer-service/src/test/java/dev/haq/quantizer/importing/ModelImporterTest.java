package dev.haq.quantizer.importing;

import static dev.haq.quantizer.importing.Imports.SIDE;
import static dev.haq.quantizer.importing.Imports.assertRefused;
import static dev.haq.quantizer.importing.Imports.assertSameAnswers;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import dev.haq.model.HaqException;
import dev.haq.model.Layer;
import dev.haq.model.Reason;
import dev.haq.quantizer.graphs.ExportedModel;
import dev.haq.quantizer.graphs.FloatGraph;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.CnnGraph.OutputKind;
import dev.haq.quantizer.onnx.GraphNode;
import dev.haq.quantizer.onnx.ImportedModel;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Ort;
import dev.haq.quantizer.onnx.Tensors;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ModelImporterTest {
  @Test
  void batchNormFoldsIntoTheConvolutionBeforeItWithoutChangingTheAnswer() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String features = model.relu(model.batchNorm(model.conv("image", 3, 8, 3, 1, 1), 8));
    byte[] bytes = model.bytes(model.gemm(model.pooled(features), 8, 5));
    ImportedModel imported = ModelImporter.read(bytes, "id", "name");

    assertTrue(
        imported.graph().nodes().stream()
            .noneMatch(
                n ->
                    n instanceof GraphNode.Other o
                        && o.node().getOpType().equals("BatchNormalization")));
    assertEquals(
        16, imported.network().layer(0).floatParameters(), "a scale and a shift a channel");
    assertSameAnswers(bytes, imported, 1e-4f);
  }

  @Test
  void batchNormAfterAConvolutionThatOthersReadStaysAsItIs() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String conv = model.conv("image", 3, 8, 3, 1, 1);
    String sum = model.node("Add", conv, model.batchNorm(conv, 8));
    byte[] bytes = model.bytes(model.gemm(model.pooled(sum), 8, 5));
    ImportedModel imported = ModelImporter.read(bytes, "id", "name");

    assertEquals(16, imported.network().otherParameters());
    assertSameAnswers(bytes, imported, 1e-4f);
  }

  @Test
  void convolutionsAreToldApartByTheirGroups() {
    SmallModel model = new SmallModel(4, SIDE, SIDE);
    String dense = model.conv("image", 4, 8, 3, 2, 1);
    String grouped = model.conv(dense, 8, 12, 3, 1, 4);
    String depthwise = model.conv(grouped, 12, 12, 3, 1, 12);
    List<Layer> layers =
        model.imported(model.gemm(model.pooled(depthwise), 12, 3)).network().layers();

    Layer.Conv2d first = (Layer.Conv2d) layers.get(0);
    assertEquals(SIDE / 2, first.output().height());
    assertEquals(2, first.window().strideHeight());
    assertEquals(4, ((Layer.Conv2d) layers.get(1)).groups());
    assertTrue(layers.get(2) instanceof Layer.DepthwiseConv2d);
    assertEquals(36, layers.get(3).weights());
  }

  @Test
  void weightsMayBeConstantNodesOrBehindIdentityTransposeOrDequantizeLinear() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    TensorProto kernel = Tensors.of("", model.values(8 * 27, 0.3), 8, 3, 3, 3);
    String constant =
        model.node(
            "Constant",
            List.of(),
            NodeProto.newBuilder()
                .addAttribute(
                    ai.onnx.proto.OnnxMl.AttributeProto.newBuilder()
                        .setName("value")
                        .setType(ai.onnx.proto.OnnxMl.AttributeProto.AttributeType.TENSOR)
                        .setT(kernel))
                .build());
    String conv =
        model.node(
            "Conv", List.of("image", model.node("Identity", constant)), SmallModel.window(3, 1, 1));
    String features = model.pooled(model.relu(conv));
    String weights = model.initializer(model.values(6 * 8, 0.3), 6, 8);
    String hidden = model.node("MatMul", features, model.node("Transpose", weights));
    byte[] codes = new byte[6 * 4];
    new Random(1).nextBytes(codes);
    model.graph().addInitializer(Tensors.int8("codes", codes, 6, 4));
    String scales = model.initializer(new float[] {0.01f, 0.02f, 0.005f, 0.01f}, 4);
    String dequantized =
        model.node(
            "DequantizeLinear",
            List.of("codes", scales),
            NodeProto.newBuilder().addAttribute(Nodes.integer("axis", 1)).build());
    byte[] bytes = model.bytes(model.node("MatMul", hidden, dequantized));
    ImportedModel imported = ModelImporter.read(bytes, "id", "name");

    assertEquals(3, imported.network().size());
    assertSameAnswers(bytes, imported, 1e-4f);
  }

  @Test
  void weightsMayBeComputedFromConstants() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    byte[] bytes = model.bytes(model.gemm(filled(model, 8, 3, 3, 3), 8, 5));
    ImportedModel imported = ModelImporter.read(bytes, "id", "name");

    assertEquals(2, imported.network().size());
    assertSameAnswers(bytes, imported, 1e-4f);
  }

  @Test
  void constantsThatAreTooLargeAreRefusedBeforeTheyAreComputed() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    byte[] bytes = model.bytes(model.gemm(filled(model, 1 << 30, 3, 3, 3), 8, 5));
    HaqException refused =
        assertThrows(HaqException.class, () -> ModelImporter.read(bytes, "id", "name"));
    assertEquals(Reason.TOO_LARGE, refused.reason());
  }

  /** A convolution whose weights are filled in with zeros, to which others are added. */
  private static String filled(SmallModel model, long... shape) {
    String zeros = model.node("ConstantOfShape", model.initializer(shape));
    String weights = model.node("Add", zeros, model.initializer(model.values(9, 0.3), 3, 3));
    String conv = model.node("Conv", List.of("image", weights), SmallModel.window(3, 1, 1));
    return model.pooled(model.relu(conv));
  }

  @Test
  void anAddedVectorBecomesTheBiasOfTheMatMulBeforeIt() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String features = model.pooled(model.conv("image", 3, 8, 3, 1, 1));
    String product = model.node("MatMul", features, model.initializer(model.values(40, 0.3), 8, 5));
    byte[] bytes =
        model.bytes(model.node("Add", model.initializer(model.values(5, 1), 5), product));
    ImportedModel imported = ModelImporter.read(bytes, "id", "name");

    assertEquals(5, imported.network().layer(1).floatParameters());
    assertEquals(2, imported.graph().layers().size());
    assertSameAnswers(bytes, imported, 1e-4f);
  }

  @Test
  void alphaAndBetaOfAGemmAreInItsWeightsAndBias() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String features = model.pooled(model.conv("image", 3, 8, 3, 1, 1));
    NodeProto factors =
        NodeProto.newBuilder()
            .addAttribute(real("alpha", 0.5f))
            .addAttribute(real("beta", 2))
            .build();
    byte[] bytes =
        model.bytes(
            model.node(
                "Gemm",
                List.of(
                    features,
                    model.initializer(model.values(40, 0.3), 8, 5),
                    model.initializer(model.values(5, 1), 5)),
                factors));

    assertSameAnswers(bytes, ModelImporter.read(bytes, "id", "name"), 1e-4f);
  }

  @Test
  void nodesWithoutANameOrWithAnothersGetOneOfTheirOwn() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String first = model.conv("image", 3, 8, 3, 1, 1);
    String second = model.conv(first, 8, 8, 3, 1, 1);
    String output = model.gemm(model.pooled(second), 8, 5);
    for (int i = 0; i < model.graph().getNodeCount(); i++) {
      model.graph().getNodeBuilder(i).setName(i == 0 ? "same" : i == 1 ? "same" : "");
    }
    List<String> names =
        model.imported(output).network().layers().stream().map(Layer::name).toList();

    assertEquals("same", names.get(0));
    assertEquals(3, names.stream().distinct().count());
    assertTrue(names.stream().noneMatch(String::isBlank));
  }

  @Test
  void aNameWithCharactersThatATerminalObeysIsReplaced() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String features = model.conv("image", 3, 8, 3, 1, 1);
    String output = model.gemm(model.pooled(features), 8, 5);
    model.graph().getNodeBuilder(0).setName("red\u001b[31m\nconv");

    assertEquals("Conv_0", model.imported(output).network().layer(0).name());
  }

  @Test
  void aModelForOneImageTakesManyWhereItsReshapesAllow() {
    SmallModel model = new SmallModel(1, 3, SIDE, SIDE);
    String pooled = model.node("GlobalAveragePool", model.conv("image", 3, 8, 3, 1, 1));
    String flat = model.node("Reshape", pooled, model.initializer(1, 8));
    ImportedModel imported = model.imported(model.gemm(flat, 8, 5));

    assertFalse(imported.graph().fixedBatch());
  }

  @Test
  void aModelForOneImageStaysOneWhereAReshapeMakesTheBatchAnew() {
    SmallModel model = new SmallModel(1, 3, SIDE, SIDE);
    String stem = model.conv("image", 3, 8, 3, 1, 1);
    // As attention and shifted windows do: heads or windows first, then the image again.
    String heads = model.node("Reshape", stem, model.initializer(4, 2 * SIDE, SIDE));
    String image = model.node("Reshape", heads, model.initializer(1, 8, SIDE, SIDE));
    String pooled = model.node("GlobalAveragePool", image);
    String flat = model.node("Reshape", pooled, model.initializer(1, 8));
    byte[] bytes = model.bytes(model.gemm(flat, 8, 5));
    ImportedModel imported = ModelImporter.read(bytes, "id", "name");

    assertTrue(imported.graph().fixedBatch());
    assertSameAnswers(bytes, imported, 1e-4f, 1);
  }

  @Test
  void imagesWithChannelsLastAreTurnedAtTheInput() {
    SmallModel model = new SmallModel(SIDE, SIDE, 3);
    String turned =
        model.node(
            "Transpose",
            List.of("image"),
            NodeProto.newBuilder().addAttribute(Nodes.ints("perm", 0, 3, 1, 2)).build());
    ImportedModel imported =
        model.imported(model.gemm(model.pooled(model.conv(turned, 3, 8, 3, 1, 1)), 8, 5));

    assertEquals(List.of(3, SIDE, SIDE), imported.graph().inputShape());
    assertEquals(imported.graph().input(), imported.graph().layers().get(0).input());
  }

  @Test
  void aWrittenModelTakesImagesAsTheFileDid() throws OrtException {
    for (boolean alsoAsTheyAre : new boolean[] {false, true}) {
      SmallModel model = new SmallModel(SIDE, SIDE, 3);
      String turned = model.transposed("image", 0, 3, 1, 2);
      String features = model.pooled(model.conv(turned, 3, 8, 3, 1, 1));
      String mean =
          model.node("ReduceMean", List.of(alsoAsTheyAre ? "image" : turned), axis(1, 2, 3));
      String scores = model.gemm(features, 8, 5);
      byte[] bytes = model.bytes(model.node("Add", scores, model.node("Unsqueeze", mean, "one")));
      ModelProto.Builder original = parsed(bytes).toBuilder();
      original.getGraphBuilder().addInitializer(Tensors.of("one", new long[] {1}, 1));
      ImportedModel imported = ModelImporter.read(original.build().toByteArray(), "id", "name");
      CnnGraph graph = imported.graph();
      ModelProto written =
          ExportedModel.of(FloatGraph.write(graph, List.of(graph.output())), graph, 13, Map.of());

      try (OnnxTensor images =
          OnnxTensor.createTensor(
              Ort.environment(),
              FloatBuffer.wrap(Imports.images(2)),
              new long[] {2, SIDE, SIDE, 3})) {
        assertArrayEquals(
            Imports.run(original.build().toByteArray(), images),
            Imports.run(written.toByteArray(), images),
            1e-4f);
      }
      assertEquals(
          graph.input(), ExportedModel.asRun(written, graph).getGraph().getInput(0).getName());
      CnnGraph again = ModelImporter.read(written.toByteArray(), "id", "name").graph();
      assertEquals(graph.input(), again.input());
      assertEquals(
          graph.layers().stream().map(l -> l.layer()).toList(),
          again.layers().stream().map(l -> l.layer()).toList());
    }
  }

  private static ModelProto parsed(byte[] bytes) {
    try {
      return ModelProto.parseFrom(bytes);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void scoresThatAreNoFloatsAreRefused() {
    for (TensorProto.DataType type :
        List.of(TensorProto.DataType.DOUBLE, TensorProto.DataType.INT64)) {
      SmallModel model = new SmallModel(3, SIDE, SIDE);
      String scores = model.gemm(model.pooled(model.conv("image", 3, 8, 3, 1, 1)), 8, 5);
      String message = assertRefused(Reason.INVALID_MODEL, model.bytes(model.cast(scores, type)));
      assertTrue(message.contains("type " + type), message);
    }
  }

  @Test
  void outputsThatAreNotReadAreNamed() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String features = model.pooled(model.conv("image", 3, 8, 3, 1, 1));
    String first = model.gemm(features, 8, 5);
    String second = model.gemm(features, 8, 7);
    ModelProto.Builder two = model.model(first).toBuilder();
    two.getGraphBuilder().addOutputBuilder().setName(second);

    assertEquals(
        List.of(
            "the class scores are read from output '%s'; ignored: '%s'".formatted(first, second)),
        ModelImporter.read(two.build().toByteArray(), "id", "name").notes());
    assertEquals(List.of(), model.imported(first).notes());
  }

  @Test
  void featuresAndLabelsInFrontOfTheScoresAreNoScores() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String features = model.pooled(model.conv("image", 3, 8, 3, 1, 1));
    String scores = model.gemm(features, 8, 5);
    String probabilities = model.node("Softmax", scores);
    String label = model.node("ArgMax", probabilities);
    ModelProto.Builder four = model.model(features).toBuilder();
    four.getGraphBuilder().clearOutput();
    four.getGraphBuilder().addOutput(output(label, TensorProto.DataType.INT64));
    for (String output : List.of(features, scores, probabilities)) {
      four.getGraphBuilder().addOutput(output(output, TensorProto.DataType.FLOAT));
    }

    ImportedModel imported = ModelImporter.read(four.build().toByteArray(), "id", "name");
    assertEquals(scores, imported.graph().output());
    assertEquals(5, imported.graph().classes());
    assertEquals(
        List.of(
            "the class scores are read from output '%s'; ignored: '%s', '%s', '%s'"
                .formatted(scores, label, features, probabilities)),
        imported.notes());
  }

  private static ValueInfoProto output(String name, TensorProto.DataType type) {
    ValueInfoProto.Builder output = ValueInfoProto.newBuilder().setName(name);
    output.getTypeBuilder().getTensorTypeBuilder().setElemType(type.getNumber());
    return output.build();
  }

  @Test
  void layersThatShareTheirWeightsAreNamed() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String stem = model.conv("image", 3, 8, 1, 1, 1);
    String weights = model.initializer(model.values(8 * 8 * 9, 0.1), 8, 8, 3, 3);
    String first = model.node("Conv", List.of(stem, weights), SmallModel.window(3, 1, 1));
    String second =
        model.node(
            "Conv",
            List.of(model.relu(model.batchNorm(first, 8)), weights),
            SmallModel.window(3, 1, 1));
    ImportedModel imported = model.imported(model.gemm(model.pooled(second), 8, 5));

    assertEquals(
        List.of(
            "layers that share their weights count them once each, in the model size too: Conv_%s, Conv_%s"
                .formatted(first, second)),
        imported.notes());
  }

  @Test
  void layersThatShareTheirWeightsUnderTwoNamesAreNamed() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String stem = model.conv("image", 3, 8, 1, 1, 1);
    String weights = model.initializer(model.values(8 * 8 * 9, 0.1), 8, 8, 3, 3);
    String alike = model.initializer(model.values(8 * 8 * 9, 0.1), 8, 8, 3, 3);
    model
        .graph()
        .setInitializer(
            model.graph().getInitializerCount() - 1,
            Tensors.renamed(
                model.graph().getInitializer(model.graph().getInitializerCount() - 2), alike));
    String first =
        model.node(
            "Conv", List.of(stem, model.node("Identity", weights)), SmallModel.window(3, 1, 1));
    String second =
        model.node(
            "Conv",
            List.of(model.relu(first), model.node("Identity", weights)),
            SmallModel.window(3, 1, 1));
    String third = model.node("Conv", List.of(second, alike), SmallModel.window(3, 1, 1));
    ImportedModel imported = model.imported(model.gemm(model.pooled(third), 8, 5));

    assertEquals(
        List.of(
            "layers that share their weights count them once each, in the model size too: Conv_%s, Conv_%s"
                .formatted(first, second)),
        imported.notes());
  }

  @Test
  void matrixProductsOf64BitsAreNoLayersAndAreNamed() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String features = model.pooled(model.conv("image", 3, 16, 1, 1, 1));
    String wide = model.cast(features, TensorProto.DataType.DOUBLE);
    String product = model.node("Gemm", wide, model.doubles(model.values(16 * 20, 0.2), 16, 20));
    String narrow = model.cast(product, TensorProto.DataType.FLOAT);
    ImportedModel imported = model.imported(model.gemm(narrow, 20, 5));

    assertEquals(2, imported.network().size());
    String note = UncountedLayers.note(imported.graph()).orElseThrow();
    assertTrue(note.contains("Gemm_" + product + " (Gemm)"), note);
  }

  @Test
  void aConvolutionOverTheChannelsMeansIsNoLayer() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String features = model.channelAttention(model.conv("image", 3, 8, 3, 1, 1), 8);
    ImportedModel imported = model.imported(model.gemm(model.pooled(features), 8, 5));
    assertEquals(2, imported.network().size());
    assertEquals(List.of(), imported.notes());
  }

  @Test
  void aLargeOneDimensionalConvolutionIsRefused() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String features = model.conv("image", 3, 8, 1, 1, 1);
    String row = model.node("Reshape", features, model.initializer(0, 8, SIDE * SIDE));
    String weights = model.initializer(model.values(32 * 8, 0.2), 32, 8, 1);
    String mixed = model.node("ReduceMax", List.of(model.node("Conv", row, weights)), axis(2));
    String message =
        assertRefused(Reason.UNSUPPORTED_OPERATOR, model.bytes(model.gemm(mixed, 32, 5)));
    assertTrue(message.contains("convolves over 1 dimensions"), message);
  }

  @Test
  void whatABranchReadsStaysThere() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String pooled = model.pooled(model.conv("image", 3, 8, 3, 1, 1));
    String same = model.node("Identity", pooled);
    String dropped = model.node("Dropout", pooled);
    String either =
        Imports.either(
            model,
            Nodes.node("Relu", List.of(same), "usual").build(),
            Nodes.node("Neg", List.of(dropped), "seldom").build());
    byte[] bytes = model.bytes(model.gemm(either, 8, 5));
    assertSameAnswers(bytes, ModelImporter.read(bytes, "id", "name"), 1e-4f);
  }

  @Test
  void aBatchNormWithOutputsThatNobodyReadsIsFolded() {
    SmallModel model = new SmallModel(3, SIDE, SIDE).opset(9);
    String norm = model.batchNorm(model.conv("image", 3, 8, 3, 1, 1), 8);
    int index = model.graph().getNodeCount() - 1;
    for (String name : List.of("mean", "var", "saved_mean", "saved_var")) {
      model.graph().getNodeBuilder(index).addOutput(norm + "/" + name);
    }
    ImportedModel imported = model.imported(model.gemm(model.pooled(norm), 8, 5));

    assertEquals(16, imported.network().layer(0).floatParameters());
    assertEquals(0, imported.network().otherParameters());
  }

  @Test
  void branchesThatReachNoOutputAreCut() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String conv = model.conv("image", 3, 8, 3, 1, 1);
    String dead = model.conv(conv, 8, 8, 3, 1, 1);
    assertFalse(dead.isEmpty());

    assertEquals(2, model.imported(model.gemm(model.pooled(conv), 8, 5)).network().size());
  }

  @Test
  void aSoftmaxAtTheEndMakesTheOutputProbabilities() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String scores = model.gemm(model.pooled(model.conv("image", 3, 8, 3, 1, 1)), 8, 5);

    assertEquals(OutputKind.LOGITS, model.imported(scores).graph().outputKind());
    assertEquals(
        OutputKind.PROBABILITIES,
        model.imported(model.node("Softmax", scores)).graph().outputKind());
  }

  @Test
  void filesThatAreNoModelAreRefusedInOneLine() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    byte[] whole = model.bytes(model.gemm(model.pooled(model.conv("image", 3, 8, 3, 1, 1)), 8, 5));
    byte[] text = "this is a text file\nnot a model".getBytes(StandardCharsets.UTF_8);

    for (byte[] bytes :
        List.of(
            new byte[0], text, Arrays.copyOf(whole, whole.length / 2), Arrays.copyOf(whole, 3))) {
      assertRefused(Reason.INVALID_MODEL, bytes);
    }
  }

  @Test
  void everyShortenedFileIsRefusedOrReadButNeverBreaksTheReader() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    byte[] whole = model.bytes(model.gemm(model.pooled(model.conv("image", 3, 2, 3, 1, 1)), 2, 3));
    for (int length = 0; length < whole.length; length += 37) {
      byte[] bytes = Arrays.copyOf(whole, length);
      HaqException refusal =
          assertThrows(HaqException.class, () -> ModelImporter.read(bytes, "id", "name"));
      assertFalse(refusal.getMessage().contains("\n"));
    }
  }

  @Test
  void dataOutsideTheFileIsRefused() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String output = model.gemm(model.pooled(model.conv("image", 3, 8, 3, 1, 1)), 8, 5);
    ModelProto.Builder changed = model.model(output).toBuilder();
    changed
        .getGraphBuilder()
        .getInitializerBuilder(0)
        .clearRawData()
        .setDataLocation(TensorProto.DataLocation.EXTERNAL)
        .addExternalData(
            StringStringEntryProto.newBuilder().setKey("location").setValue("../../etc/passwd"));

    assertTrue(
        assertRefused(Reason.INVALID_MODEL, changed.build().toByteArray())
            .contains("../../etc/passwd"));
  }

  @Test
  void anOperatorThatCannotBeRunIsNamed() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String conv = model.conv("image", 3, 8, 3, 1, 1);
    String strange = model.node("FancyActivation", conv);
    String message =
        assertRefused(
            Reason.UNSUPPORTED_OPERATOR, model.bytes(model.gemm(model.pooled(strange), 8, 5)));

    assertTrue(message.contains("FancyActivation"), message);
  }

  @Test
  void layersThatOnnxRuntimeHasFusedAreRefusedWithAWordAboutTheModelBefore() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String stem = model.conv("image", 3, 8, 3, 1, 1);
    NodeProto fused =
        SmallModel.window(3, 1, 1).toBuilder()
            .setDomain(CnnGraph.MICROSOFT)
            .setName("fused")
            .addAttribute(Nodes.string("activation", "Relu"))
            .build();
    String weights = model.initializer(model.values(8 * 8 * 9, 0.1), 8, 8, 3, 3);
    String relu = model.node("FusedConv", List.of(stem, weights), fused);
    String message =
        assertRefused(
            Reason.UNSUPPORTED_OPERATOR, model.bytes(model.gemm(model.pooled(relu), 8, 5)));

    assertTrue(message.contains("'fused'") && message.contains("before"), message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"MatMulInteger16", "QAttention", "DynamicQuantizeLSTM"})
  void onnxRuntimesOwnLayersInIntegersAreRefused(String type) {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String features = model.pooled(model.conv("image", 3, 8, 3, 1, 1));
    NodeProto own = NodeProto.newBuilder().setDomain(CnnGraph.MICROSOFT).setName("own").build();
    String message =
        assertRefused(
            Reason.UNSUPPORTED_OPERATOR, model.bytes(model.node(type, List.of(features), own)));
    assertTrue(message.contains("'own'") && message.contains("integers"), message);
  }

  @Test
  void layersInIntegersAreRefusedWithAWordAboutTheFloatModel() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String stem = model.conv("image", 3, 8, 1, 1, 1);
    model
        .graph()
        .addNode(
            Nodes.node("DynamicQuantizeLinear", List.of(stem), "codes")
                .addOutput("scale")
                .addOutput("zero"));
    String weights = "weights";
    model.graph().addInitializer(Tensors.int8(weights, new byte[8 * 8], 8, 8, 1, 1));
    NodeProto conv = NodeProto.newBuilder().setName("integers").build();
    String sums = model.node("ConvInteger", List.of("codes", weights, "zero"), conv);
    String features = model.pooled(model.cast(sums, TensorProto.DataType.FLOAT));

    String message =
        assertRefused(Reason.UNSUPPORTED_OPERATOR, model.bytes(model.gemm(features, 8, 5)));
    assertTrue(message.contains("'integers' is a ConvInteger"), message);
    assertTrue(message.contains("float model"), message);
  }

  @Test
  void weightsThatAreInNoLayerAreNamedWithTheirShare() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String stem = model.conv("image", 3, 8, 1, 1, 1);
    String up = model.initializer(model.values(8 * 8 * 4, 0.1), 8, 8, 2, 2);
    NodeProto window = NodeProto.newBuilder().setName("up").build();
    String wide = model.node("ConvTranspose", List.of(stem, up), window);
    ImportedModel imported = model.imported(model.gemm(model.pooled(wide), 8, 5));

    // 256 of 24 + 256 + 40.
    assertEquals(
        "not quantized and in no cost but the size, of all weights: up (ConvTranspose) 80.0%",
        UncountedLayers.note(imported.graph()).orElseThrow());
  }

  @Test
  void matrixProductsThatAreNoLayersAreNamed() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String stem = model.conv("image", 3, 16, 1, 1, 1);
    String rows = model.node("Reshape", stem, model.initializer(0, 16, SIDE * SIDE));
    String left = model.initializer(model.values(16 * 16, 0.2), 16, 16);
    String mixed = model.node("MatMul", left, rows);
    String three = model.initializer(model.values(SIDE * SIDE * 16, 0.2), 1, SIDE * SIDE, 16);
    String features = model.node("MatMul", mixed, three);
    String flat = model.node("ReduceMax", List.of(features), axis(2));
    ImportedModel imported = model.imported(model.gemm(flat, 16, 5));

    String note = UncountedLayers.note(imported.graph()).orElseThrow();
    // 256 and 1,024 of 1,408.
    assertTrue(note.contains("MatMul_" + mixed + " (MatMul) 18.2%"), note);
    assertTrue(note.contains("MatMul_" + features + " (MatMul) 72.7%"), note);
  }

  private static NodeProto axis(long... axis) {
    return NodeProto.newBuilder()
        .addAttribute(Nodes.ints("axes", axis))
        .addAttribute(Nodes.integer("keepdims", 0))
        .build();
  }

  @Test
  void aModelWhoseWeightsAreAllInLayersHasNoSuchNote() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String features = model.batchNorm(model.relu(model.conv("image", 3, 8, 3, 1, 1)), 8);
    String shift = model.initializer(model.values(8 * SIDE * SIDE, 0.1), 1, 8, SIDE, SIDE);
    String shifted = model.node("Add", features, shift);
    ImportedModel imported = model.imported(model.gemm(model.pooled(shifted), 8, 5));

    assertEquals(Optional.empty(), UncountedLayers.note(imported.graph()));
  }

  @Test
  void aModelWithoutConstantWeightsHasNoQuantizableLayers() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    assertRefused(Reason.NO_QUANTIZABLE_LAYERS, model.bytes(model.pooled(model.relu("image"))));
  }

  @Test
  void mobileNetV2HasThePublishedLayers() throws IOException {
    Path file =
        Path.of(
            System.getProperty("haq.shared", "absent"), "data/imagenet/mobilenetv2_1.0_224.onnx");
    assumeTrue(Files.exists(file), "shared models are not here");
    ImportedModel imported = ModelImporter.read(Files.readAllBytes(file), "id", "name");

    assertEquals(53, imported.network().size());
    assertEquals(300_774_272L, imported.network().macs());
    assertEquals(3_469_760L, imported.network().weights());
    assertEquals(1000, imported.graph().classes());
  }

  private static ai.onnx.proto.OnnxMl.AttributeProto real(String name, float value) {
    return ai.onnx.proto.OnnxMl.AttributeProto.newBuilder()
        .setName(name)
        .setType(ai.onnx.proto.OnnxMl.AttributeProto.AttributeType.FLOAT)
        .setF(value)
        .build();
  }

  @Test
  void aConvolutionOfSeveralMapsOfAnImageIsRefusedAsItCannotBeCounted() {
    SmallModel model = new SmallModel(30, SIDE, SIDE);
    String maps = model.node("Reshape", "image", model.initializer(10, 3, SIDE, SIDE));
    String features =
        model.node(
            "Reshape", model.conv(maps, 3, 4, 3, 1, 1), model.initializer(1, 40, SIDE, SIDE));
    String message =
        assertRefused(
            Reason.UNSUPPORTED_OPERATOR, model.bytes(model.gemm(model.pooled(features), 40, 5)));
    assertTrue(message.contains("reads 10 maps of each image"), message);
  }
}
