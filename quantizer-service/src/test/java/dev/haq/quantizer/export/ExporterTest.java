package dev.haq.quantizer.export;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.fasterxml.jackson.databind.JsonNode;
import com.google.protobuf.ByteString;
import dev.haq.model.DataSelection;
import dev.haq.model.HaqException;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import dev.haq.model.Recipe;
import dev.haq.model.Recipe.WeightScales;
import dev.haq.quantizer.builtin.BuiltinShapes;
import dev.haq.quantizer.eval.EvaluationRequest;
import dev.haq.quantizer.graphs.FakeQuantizedGraph;
import dev.haq.quantizer.importing.ModelImporter;
import dev.haq.quantizer.importing.SmallModel;
import dev.haq.quantizer.onnx.ImportedModel;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Tensors;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class ExporterTest {
  private static final DataSelection DATA =
      ExportBench.first(DataSelection.all(BuiltinShapes.ID), 150);

  @TempDir static Path folder;
  private static ExportBench bench;
  private static ImportedModel shapes;
  private static Policy mixed;

  @BeforeAll
  static void start() {
    bench = new ExportBench(folder);
    shapes = ModelImporter.read(BuiltinShapes.model(), BuiltinShapes.ID, "shapes");
    mixed = ExportBench.mixed(shapes.network().size());
  }

  @AfterAll
  static void stop() {
    bench.close();
  }

  private static ExportedFile export(
      ImportedModel model, Policy policy, WeightScales scales, ExportFormat format) {
    return bench.exporter.export(
        new Exporter.Request(
            model, policy, Recipe.HAQ.withWeightScales(scales), Optional.of(DATA), format, false),
        () -> false);
  }

  private static ExportedFile export(ExportFormat format) {
    return export(shapes, mixed, WeightScales.PER_CHANNEL, format);
  }

  private static ModelProto model(ByteString bytes) throws IOException {
    return ModelProto.parseFrom(bytes);
  }

  private static Map<String, TensorProto> constants(ModelProto model) {
    Map<String, TensorProto> constants = new HashMap<>();
    model.getGraph().getInitializerList().forEach(t -> constants.put(t.getName(), t));
    return constants;
  }

  private static Map<String, NodeProto> writers(ModelProto model) {
    Map<String, NodeProto> writers = new HashMap<>();
    model.getGraph().getNodeList().forEach(n -> writers.put(n.getOutput(0), n));
    return writers;
  }

  private static NodeProto layer(ModelProto model, int index) {
    String name = shapes.network().layer(index).name();
    return model.getGraph().getNodeList().stream()
        .filter(n -> n.getName().equals(name))
        .findFirst()
        .orElseThrow();
  }

  @ParameterizedTest
  @EnumSource(
      value = ExportFormat.class,
      names = {"POLICY_JSON", "POLICY_CSV"},
      mode = EnumSource.Mode.EXCLUDE)
  void everyModelOfAMixedPolicyScoresAsItsEvaluation(ExportFormat format) {
    for (WeightScales scales : WeightScales.values()) {
      ExportedFile file = export(shapes, mixed, scales, format);
      assertEquals(
          file.evaluatedAccuracy().orElseThrow().top1(),
          file.fileAccuracy().orElseThrow().top1(),
          0.7,
          () -> format + " " + file.notes());
      assertEquals(150, file.fileAccuracy().orElseThrow().images());
      assertEquals("shapes" + format.suffix(), file.name());
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = ExportFormat.class,
      names = {"POLICY_JSON", "POLICY_CSV"},
      mode = EnumSource.Mode.EXCLUDE)
  void whatOtherRecipesEvaluateIsWhatIsExported(ExportFormat format) {
    for (String recipe : List.of("ptq", "kmeans")) {
      ExportedFile file =
          bench.exporter.export(
              new Exporter.Request(
                  shapes, mixed, Recipe.named(recipe), Optional.of(DATA), format, false),
              () -> false);
      assertEquals(
          file.evaluatedAccuracy().orElseThrow().top1(),
          file.fileAccuracy().orElseThrow().top1(),
          0.7,
          () -> recipe + " " + format + " " + file.notes());
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = ExportFormat.class,
      names = {"POLICY_JSON", "POLICY_CSV"},
      mode = EnumSource.Mode.EXCLUDE)
  void aModelWithChannelsLastIsExportedWithThem(ExportFormat format) throws IOException {
    SmallModel small = new SmallModel(32, 32, 3);
    String first = small.relu(small.conv(small.transposed("image", 0, 3, 1, 2), 3, 8, 3, 2, 1));
    String second = small.relu(small.conv(first, 8, 8, 3, 2, 1));
    byte[] bytes = small.bytes(small.gemm(small.pooled(second), 8, 10));
    ImportedModel model = ModelImporter.read(bytes, "sha256:channels-last", "last");
    ExportedFile file = export(model, ExportBench.mixed(3), WeightScales.PER_CHANNEL, format);

    ByteString content = file.content();
    if (file.name().endsWith(".zip")) {
      Map<String, byte[]> files = ZipFile.files(content);
      String name = files.keySet().stream().filter(n -> n.endsWith(".onnx")).findFirst().get();
      content = ByteString.copyFrom(files.get(name));
    }
    GraphProto graph = model(content).getGraph();
    assertEquals("image", graph.getInput(0).getName());
    assertEquals(
        List.of(32L, 32L, 3L),
        graph.getInput(0).getType().getTensorType().getShape().getDimList().stream()
            .skip(1)
            .map(d -> d.getDimValue())
            .toList());
  }

  @ParameterizedTest
  @EnumSource(ExportFormat.class)
  void theSameRequestGivesTheSameBytes(ExportFormat format) {
    assertEquals(export(format).content(), export(format).content());
  }

  @Test
  void residualNetworksOfAnOldOperatorSetAreExported() {
    SmallModel small = new SmallModel(3, 32, 32).opset(11);
    String stem = small.relu(small.conv("image", 3, 16, 3, 2, 1));
    String wide = small.relu6(small.conv(stem, 16, 32, 1, 1, 1));
    String deep = small.relu6(small.conv(wide, 32, 32, 3, 1, 32));
    String sum = small.node("Add", stem, small.conv(deep, 32, 16, 1, 1, 1));
    String mean =
        small.node(
            "ReduceMean",
            List.of(sum),
            NodeProto.newBuilder()
                .addAttribute(Nodes.ints("axes", 2, 3))
                .addAttribute(Nodes.integer("keepdims", 0))
                .build());
    assertExported("residual", small.bytes(small.gemm(mean, 16, 10)));
  }

  @Test
  void matrixProductsBetweenTransposesAreExported() {
    SmallModel small = new SmallModel(3, 32, 32);
    String stem = small.relu(small.conv("image", 3, 16, 3, 4, 1));
    String wide = small.relu(small.matMul(small.transposed(stem, 0, 2, 3, 1), 16, 24));
    String branch = small.transposed(small.matMul(wide, 24, 16), 0, 3, 1, 2);
    String sum = small.relu(small.node("Add", stem, branch));
    assertExported("matrices", small.bytes(small.gemm(small.pooled(sum), 16, 10)));
  }

  @Test
  void networksWithPrunedChannelsAreExported() {
    SmallModel small = new SmallModel(3, 32, 32);
    String stem = small.relu(small.prunedConv("image", 3, 16, 3));
    String sum = small.node("Add", stem, small.prunedConv(stem, 16, 16, 3));
    assertExported("pruned", small.bytes(small.gemm(small.pooled(small.relu(sum)), 16, 10)));
  }

  /** Products of more terms than are summed at once, as heads of VGG and AlexNet have them. */
  @Test
  void widePlainLayersAreExported() {
    SmallModel small = new SmallModel(3, 32, 32);
    String features = small.node("Flatten", small.relu(small.conv("image", 3, 16, 3, 4, 1)));
    String hidden = small.relu(small.gemm(features, 1024, 200));
    String second = small.relu(small.gemm(hidden, 200, 96));
    assertExported("wide", small.bytes(small.gemm(second, 96, 10)));
  }

  /**
   * @param name of no other model: what is prepared is kept by it
   */
  private static void assertExported(String name, byte[] bytes) {
    ImportedModel model = ModelImporter.read(bytes, "sha256:" + name, name);
    for (int[] bits : new int[][] {{8, 8}, {5, 6}, {2, 4}}) {
      Policy policy = Policy.uniform(model.network().size(), LayerBits.of(bits[0], bits[1]));
      for (ExportFormat format : ExportFormat.values()) {
        for (WeightScales scales : WeightScales.values()) {
          // Random weights guess, so this is about what is refused and what runs.
          assertTrue(export(model, policy, scales, format).content().size() > 0);
        }
      }
    }
  }

  @Test
  void aFileThatComputesSomethingElseIsRefused() throws IOException {
    ModelProto right = model(export(ExportFormat.ONNX_QCDQ).content());
    ModelProto.Builder broken = right.toBuilder();
    for (int i = 0; i < right.getGraph().getInitializerCount(); i++) {
      TensorProto tensor = right.getGraph().getInitializer(i);
      if (tensor.getName().startsWith("haq/scale/") && Tensors.elements(tensor) > 1) {
        float[] doubled = Tensors.floats(tensor).clone();
        for (int c = 0; c < doubled.length; c += 2) {
          doubled[c] *= 2;
        }
        broken
            .getGraphBuilder()
            .setInitializer(i, Tensors.of(tensor.getName(), doubled, doubled.length));
      }
    }
    HaqException refused =
        assertThrows(
            HaqException.class,
            () ->
                bench.evaluator.withPolicy(
                    evaluation(mixed),
                    () -> false,
                    run ->
                        ExportCheck.check(
                            run,
                            new FakeQuantizedGraph().write(run.graph(), run.layers()).toByteArray(),
                            broken.build().toByteArray(),
                            "the file")));
    assertEquals(Reason.EXPORT_DIFFERS, refused.reason());
    assertTrue(refused.details().containsKey("file_top1"));
    assertTrue(refused.getMessage().contains("plain reading"), refused.getMessage());
  }

  /** Both readings of the file agree, so that only the evaluation can tell. */
  @Test
  void aFileThatAgreesWithItsPlainReadingAndNotWithTheEvaluationIsRefused() {
    Policy coarse = Policy.uniform(shapes.network().size(), LayerBits.of(2, 2));
    byte[] other =
        bench.evaluator.withPolicy(
            evaluation(coarse),
            () -> false,
            run -> new FakeQuantizedGraph().write(run.graph(), run.layers()).toByteArray());
    HaqException refused =
        assertThrows(
            HaqException.class,
            () ->
                bench.evaluator.withPolicy(
                    evaluation(mixed),
                    () -> false,
                    run -> ExportCheck.check(run, other, other, "the file")));
    assertEquals(Reason.EXPORT_DIFFERS, refused.reason());
    assertTrue(refused.getMessage().contains("not optimised"), refused.getMessage());
    assertTrue(refused.getMessage().contains("where the evaluation scores"), refused.getMessage());
  }

  private static EvaluationRequest evaluation(Policy policy) {
    return new EvaluationRequest(shapes, DATA, Optional.of(policy), Recipe.HAQ, false);
  }

  @Test
  void qcdqIsSet13AndClipsBytesToTheWidth() throws IOException {
    ModelProto model = model(export(ExportFormat.ONNX_QCDQ).content());
    assertEquals(8, model.getIrVersion());
    assertEquals(1, model.getOpsetImportCount());
    assertEquals(13, model.getOpsetImport(0).getVersion());
    Map<String, NodeProto> writers = writers(model);
    Map<String, TensorProto> constants = constants(model);
    for (int k = 0; k < mixed.size(); k++) {
      LayerBits bits = mixed.get(k);
      if (bits.weights().isFloat() || bits.activations().isFloat()) {
        continue;
      }
      NodeProto dequantize = writers.get(layer(model, k).getInput(0));
      assertEquals("DequantizeLinear", dequantize.getOpType());
      NodeProto clip = writers.get(dequantize.getInput(0));
      if (bits.activations().bits() < 8) {
        int low = (int) Tensors.floats(constants.get(clip.getInput(1)))[0];
        int high = (int) Tensors.floats(constants.get(clip.getInput(2)))[0];
        assertEquals(1 << bits.activations().bits(), high - low + 1 + (low == 0 ? 0 : 1));
      }
    }
    JsonNode policy = Json.tree(property(model, "haq.policy"));
    assertEquals(mixed.get(1).weights().bits(), policy.at("/layers/1/weight_bits").asInt());
    assertTrue(policy.at("/layers/2/weight_bits").isNull());
  }

  @Test
  void aModelSaysByWhichVersionScalesAndClipsItWasMade() throws IOException {
    assertEquals(
        Map.of("haq.recipe", "haq@1", "haq.weight_scales", "PER_CHANNEL"), made(Recipe.HAQ));
    assertEquals(
        Map.of(
            "haq.recipe", "ptq@1",
            "haq.weight_scales", "PER_TENSOR",
            "haq.weight_clip", "MIN_MAX",
            "haq.activation_clip", "SQUARED_ERROR"),
        made(
            Recipe.named("ptq@1")
                .withWeightScales(WeightScales.PER_TENSOR)
                .withClips(Recipe.Clip.MIN_MAX, Recipe.Clip.SQUARED_ERROR)));
  }

  /** What an exported model says of its recipe. */
  private static Map<String, String> made(Recipe recipe) throws IOException {
    ExportedFile file =
        bench.exporter.export(
            new Exporter.Request(
                shapes, mixed, recipe, Optional.of(DATA), ExportFormat.ONNX_QCDQ, false),
            () -> false);
    Map<String, String> properties = new HashMap<>();
    model(file.content())
        .getMetadataPropsList()
        .forEach(property -> properties.put(property.getKey(), property.getValue()));
    assertEquals(shapes.id(), properties.remove("haq.model"));
    assertNotNull(properties.remove("haq.policy"));
    return properties;
  }

  private static byte[] property(ModelProto model, String key) {
    return model.getMetadataPropsList().stream()
        .filter(p -> p.getKey().equals(key))
        .findFirst()
        .orElseThrow()
        .getValue()
        .getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void compactModelsStoreFourBitsInHalfAByte() throws IOException {
    ModelProto model = model(export(ExportFormat.ONNX_INT4).content());
    assertEquals(10, model.getIrVersion());
    assertEquals(21, model.getOpsetImport(0).getVersion());
    Map<String, TensorProto> constants = constants(model);
    int narrow = 0;
    for (int k = 0; k < mixed.size(); k++) {
      if (mixed.get(k).weights().isFloat()) {
        continue;
      }
      NodeProto dequantize = writers(model).get(layer(model, k).getInput(1));
      TensorProto codes = constants.get(dequantize.getInput(0));
      if (mixed.get(k).weights().bits() <= 4) {
        narrow++;
        assertEquals(TensorProto.DataType.INT4.getNumber(), codes.getDataType());
        assertEquals((Tensors.elements(codes) + 1) / 2, codes.getRawData().size());
      } else {
        int levels = (1 << (mixed.get(k).weights().bits() - 1)) - 1;
        for (float code : Tensors.floats(codes)) {
          assertTrue(Math.abs(code) <= levels);
        }
      }
    }
    assertTrue(narrow > 0);
  }

  @Test
  void qonnxSaysEveryWidth() throws IOException {
    ModelProto model = model(export(ExportFormat.QONNX).content());
    Map<String, NodeProto> writers = writers(model);
    Map<String, TensorProto> constants = constants(model);
    for (int k = 0; k < mixed.size(); k++) {
      for (int operand = 0; operand < 2; operand++) {
        var bits = operand == 0 ? mixed.get(k).activations() : mixed.get(k).weights();
        NodeProto quant = writers.get(layer(model, k).getInput(operand));
        boolean quantized = quant != null && quant.getOpType().equals("Quant");
        assertEquals(!bits.isFloat(), quantized, "layer " + k);
        if (quantized) {
          assertEquals("qonnx.custom_op.general", quant.getDomain());
          assertEquals(bits.bits(), (int) Tensors.floats(constants.get(quant.getInput(3)))[0]);
          if (operand == 1) {
            assertEquals(1, Nodes.integer(quant, "signed", -1));
            assertEquals(1, Nodes.integer(quant, "narrow", -1));
          }
        }
      }
    }
  }

  @Test
  void powersOfTwoAreScalesAndCheckedAsSuch() throws IOException {
    ExportedFile file =
        bench.exporter.export(
            new Exporter.Request(
                shapes,
                Policy.uniform(shapes.network().size(), LayerBits.of(8, 8)),
                Recipe.HAQ,
                Optional.of(DATA),
                ExportFormat.QONNX,
                true),
            () -> false);
    ModelProto model = model(file.content());
    Map<String, TensorProto> constants = constants(model);
    for (NodeProto node : model.getGraph().getNodeList()) {
      if (node.getOpType().equals("Quant")) {
        for (float scale : Tensors.floats(constants.get(node.getInput(1)))) {
          assertEquals(0, Float.floatToIntBits(scale) & 0x7fffff, "a power of two: " + scale);
        }
      }
    }
  }

  @Test
  void aimetHasAnEncodingForEachQuantizedTensorOfItsModel() throws IOException {
    Map<String, byte[]> files = ZipFile.files(export(ExportFormat.AIMET).content());
    ModelProto model = ModelProto.parseFrom(files.get("shapes.onnx"));
    JsonNode document = Json.tree(files.get("shapes.encodings"));
    assertEquals("1.0.0", document.get("version").asText());
    Map<String, JsonNode> entries = new HashMap<>();
    document.get("activation_encodings").forEach(e -> entries.put(e.get("name").asText(), e));
    document.get("param_encodings").forEach(e -> entries.put(e.get("name").asText(), e));
    int expected = 0;
    for (int k = 0; k < mixed.size(); k++) {
      for (int operand = 0; operand < 2; operand++) {
        var bits = operand == 0 ? mixed.get(k).activations() : mixed.get(k).weights();
        if (!bits.isFloat()) {
          expected++;
          JsonNode entry = entries.get(layer(model, k).getInput(operand));
          assertEquals(bits.bits(), entry.get("bw").asInt());
          assertEquals(entry.get("scale").size(), entry.get("offset").size());
        }
      }
    }
    assertEquals(expected, entries.size());
  }

  @Test
  void overridesNameTensorsOfTheirModelAndTypesThatExist() throws IOException {
    Map<String, byte[]> files =
        ZipFile.files(export(ExportFormat.ORT_TENSOR_QUANT_OVERRIDES).content());
    ModelProto model = ModelProto.parseFrom(files.get("model.onnx"));
    assertTrue(
        new String(files.get("quantize.py"), StandardCharsets.UTF_8).contains("quantize_static"));
    JsonNode overrides = Json.tree(files.get("overrides.json"));
    int pairs = 0;
    for (int k = 0; k < mixed.size(); k++) {
      LayerBits bits = mixed.get(k);
      if (bits.weights().isFloat() || bits.activations().isFloat()) {
        continue;
      }
      pairs++;
      NodeProto node = layer(model, k);
      assertEquals("QUInt8", overrides.get(node.getInput(0)).at("/0/quant_type").asText());
      assertEquals(
          bits.weights().bits() <= 4 ? "QInt4" : "QInt8",
          overrides.get(node.getInput(1)).at("/0/quant_type").asText());
    }
    assertEquals(2 * pairs, overrides.size());
  }

  @Test
  void policiesAreWrittenWithNullForFloat() {
    JsonNode json = Json.tree(export(ExportFormat.POLICY_JSON).content().toByteArray());
    assertEquals(BuiltinShapes.ID, json.get("model").asText());
    assertTrue(json.at("/layers/6/activation_bits").isNull());
    List<String> lines = export(ExportFormat.POLICY_CSV).content().toStringUtf8().lines().toList();
    assertEquals(shapes.network().size() + 1, lines.size());
    String name = shapes.network().layer(0).name();
    assertTrue(lines.get(1).matches("1," + name + ",conv 3x3 3->[0-9]+,8,8,.*"), lines.get(1));
    assertTrue(lines.get(7).contains(",float,"), lines.get(7));
  }

  @Test
  void aFileOfFourBitWeightsIsImportedAgain() {
    ExportedFile file = export(ExportFormat.ONNX_INT4);
    ImportedModel again = ModelImporter.read(file.content().toByteArray(), "id", "again");
    assertEquals(layers(shapes), layers(again));
    assertEquals(shapes.network().macs(), again.network().macs());
  }

  private static List<String> layers(ImportedModel model) {
    return model.network().layers().stream()
        .map(layer -> layer.name() + " " + layer.weights())
        .toList();
  }
}
