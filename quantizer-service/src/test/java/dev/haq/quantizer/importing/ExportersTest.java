package dev.haq.quantizer.importing;

import static dev.haq.quantizer.importing.Imports.SIDE;
import static dev.haq.quantizer.importing.Imports.assertRefused;
import static dev.haq.quantizer.importing.Imports.assertSameAnswers;
import static dev.haq.quantizer.importing.Imports.network;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import com.google.protobuf.ByteString;
import dev.haq.model.HaqException;
import dev.haq.model.Layer;
import dev.haq.model.Reason;
import dev.haq.quantizer.data.Samples;
import dev.haq.quantizer.graphs.FloatGraph;
import dev.haq.quantizer.models.ModelStore;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.ImportedModel;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Ort;
import dev.haq.quantizer.onnx.Tensors;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What exporters write in many ways is read the same; ONNX Runtime's own answer is the judge. */
final class ExportersTest {
  /** The newest operator set that ONNX Runtime 1.26 takes as released. */
  private static final int NEWEST = 25;

  @TempDir Path folder;

  @Test
  void everyOperatorSetFromSevenToTheNewestIsTaken() {
    for (int opset = 7; opset <= NEWEST; opset++) {
      SmallModel model = new SmallModel(3, SIDE, SIDE).opset(opset);
      byte[] bytes = model.bytes(network(model, "image"));
      assertSameAnswers(bytes, ModelImporter.read(bytes, "id", "name"), 1e-4f);
    }
  }

  @Test
  void layersThatShareWeightsAreEachRight() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String first = model.conv("image", 3, 8, 3, 1, 1);
    String shared = model.initializer(model.values(8 * 8 * 9, 0.1), 8, 8, 3, 3);
    for (int i = 0; i < 2; i++) {
      NodeProto window = SmallModel.window(3, 1, 1);
      String conv = model.node("Conv", List.of(first, shared), window);
      // Each with a batch-norm of its own: folded, the two no longer have the same weights.
      first = model.relu(model.batchNorm(conv, 8));
    }
    byte[] bytes = model.bytes(model.gemm(model.pooled(first), 8, 5));
    ImportedModel imported = ModelImporter.read(bytes, "id", "name");
    assertEquals(4, imported.network().size());
    assertSameAnswers(bytes, imported, 1e-4f);
  }

  @Test
  void weightsOfHalfPrecisionAreExact() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String weights = half(model, model.values(8 * 27, 0.3), 8, 3, 3, 3);
    String cast =
        model.node(
            "Cast",
            List.of(weights),
            NodeProto.newBuilder().addAttribute(Nodes.integer("to", 1)).build());
    String conv = model.node("Conv", List.of("image", cast), SmallModel.window(3, 1, 1));
    byte[] bytes = model.bytes(model.gemm(model.pooled(model.relu(conv)), 8, 5));
    ImportedModel imported = ModelImporter.read(bytes, "id", "name");
    assertEquals(2, imported.network().size());
    assertSameAnswers(bytes, imported, 1e-4f);
  }

  @Test
  void weightsOfFourBitsAreRealNumbers() {
    for (TensorProto.DataType type :
        List.of(TensorProto.DataType.INT4, TensorProto.DataType.UINT4)) {
      for (boolean raw : new boolean[] {true, false}) {
        SmallModel model = new SmallModel(3, SIDE, SIDE).opset(21);
        TensorProto.Builder codes =
            TensorProto.newBuilder().setName("codes").setDataType(type.getNumber());
        codes.addDims(5).addDims(3).addDims(3).addDims(3);
        byte[] packed = new byte[68]; // 135 values
        new Random(2).nextBytes(packed);
        packed[67] &= 0xf;
        if (raw) {
          codes.setRawData(ByteString.copyFrom(packed));
        } else {
          for (byte two : packed) {
            codes.addInt32Data(two & 0xff);
          }
        }
        model.graph().addInitializer(codes);
        String scale = model.initializer(new float[] {0.1f});
        String weights = model.node("DequantizeLinear", "codes", scale);
        String conv = model.node("Conv", List.of("image", weights), SmallModel.window(3, 1, 1));
        byte[] bytes = model.bytes(model.gemm(model.pooled(conv), 5, 5));
        ImportedModel imported = ModelImporter.read(bytes, "id", "name");
        assertEquals(2, imported.network().size());
        assertSameAnswers(bytes, imported, 1e-4f);
      }
    }
  }

  @Test
  void tensorsOfAnotherLengthOrAnUnknownTypeAreNamedWithIt() {
    for (int type : new int[] {TensorProto.DataType.INT4.getNumber(), 99}) {
      SmallModel model = new SmallModel(3, SIDE, SIDE).opset(21);
      model
          .graph()
          .addInitializer(
              TensorProto.newBuilder()
                  .setName("codes")
                  .setDataType(type)
                  .addDims(5)
                  .setRawData(ByteString.copyFrom(new byte[4])));
      String message = assertRefused(Reason.INVALID_MODEL, model.bytes(network(model, "image")));
      assertTrue(message.contains("'codes'"), message);
      assertTrue(message.contains(type == 99 ? "number 99" : "4 bytes"), message);
    }
  }

  @Test
  void modelsThatComputeInHalfPrecisionAreWidened() throws OrtException {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String conv =
        model.node(
            "Conv",
            List.of("image", half(model, model.values(8 * 27, 0.3), 8, 3, 3, 3)),
            SmallModel.window(3, 1, 1));
    String scores =
        model.node(
            "MatMul", model.pooled(model.relu(conv)), half(model, model.values(40, 0.3), 8, 5));
    model
        .graph()
        .getInputBuilder(0)
        .getTypeBuilder()
        .getTensorTypeBuilder()
        .setElemType(TensorProto.DataType.FLOAT16.getNumber());
    byte[] bytes = model.bytes(scores);
    ImportedModel imported = ModelImporter.read(bytes, "id", "name");
    assertEquals(2, imported.network().size());
    float[] widened =
        Imports.answers(FloatGraph.write(imported.graph(), List.of(scores)).toByteArray(), 2);
    // The original rounds each result to 11 bits.
    assertArrayEquals(halfAnswers(bytes), widened, 5e-3f);
  }

  @Test
  void aModelOfHalfPrecisionMayTakeAndAnswerFloats() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String conv =
        model.node(
            "Conv",
            List.of(
                model.cast("image", TensorProto.DataType.FLOAT16),
                half(model, model.values(8 * 27, 0.3), 8, 3, 3, 3)),
            SmallModel.window(3, 1, 1));
    String scores =
        model.node(
            "MatMul", model.pooled(model.relu(conv)), half(model, model.values(40, 0.3), 8, 5));
    byte[] bytes =
        model.bytes(model.cast(model.node("Softmax", scores), TensorProto.DataType.FLOAT));
    ImportedModel imported = ModelImporter.read(bytes, "id", "name");
    assertEquals(CnnGraph.OutputKind.PROBABILITIES, imported.graph().outputKind());
    // The original rounds each result to 11 bits.
    assertSameAnswers(bytes, imported, 5e-3f);
  }

  @Test
  void aGemmMayHaveItsWeightsInputMajorAndOneBiasForAll() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String features = model.pooled(model.conv("image", 3, 8, 3, 1, 1));
    String weights = model.initializer(model.values(40, 0.3), 8, 5);
    byte[] bytes =
        model.bytes(
            model.node("Gemm", features, weights, model.initializer(new float[] {0.7f}, 1)));
    assertSameAnswers(bytes, ModelImporter.read(bytes, "id", "name"), 1e-4f);
  }

  @Test
  void nodesInAnyOrderAreTheSameNetwork() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    ModelProto ordered = model.model(network(model, "image"));
    List<NodeProto> nodes = new ArrayList<>(ordered.getGraph().getNodeList());
    Collections.shuffle(nodes, new Random(3));
    ModelProto.Builder shuffled = ordered.toBuilder();
    shuffled.getGraphBuilder().clearNode().addAllNode(nodes);
    List<String> names = names(ModelImporter.read(ordered.toByteArray(), "id", "name"));
    ImportedModel imported = ModelImporter.read(shuffled.build().toByteArray(), "id", "name");
    assertEquals(names, names(imported));
    assertSameAnswers(ordered.toByteArray(), imported, 1e-4f);
  }

  @Test
  void madeUpNamesAreTheSameEveryTimeAndUnique() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String output = network(model, "image");
    model.graph().getNodeBuilderList().forEach(NodeProto.Builder::clearName);
    byte[] bytes = model.bytes(output);
    List<String> names = names(ModelImporter.read(bytes, "id", "name"));
    assertEquals(names, names(ModelImporter.read(bytes, "id", "name")));
    assertEquals(names.size(), names.stream().distinct().count());
    assertTrue(names.get(0).startsWith("Conv"), names.toString());
  }

  @Test
  void aLargeModelsWeightsAreReadFromItsFile() throws IOException {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String flat = model.node("Flatten", model.conv("image", 3, 32, 3, 1, 1));
    String hidden = model.relu(model.gemm(flat, 32 * SIDE * SIDE, 4500)); // 36 MB
    byte[] bytes = model.bytes(model.gemm(hidden, 4500, 5));
    Path file = Files.write(folder.resolve("large.onnx"), bytes);
    ImportedModel imported = ModelImporter.read(file, "id", "name", Integer.MAX_VALUE, () -> false);
    assertEquals(bytes.length, imported.sizeBytes());
    assertFalse(imported.graph().fixedBatch());
    assertSameAnswers(bytes, imported, 1e-3f); // sums of 4,500 values
  }

  @Test
  void aModelWithItsDataInAnArchiveIsTheSameModel() throws IOException {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    ModelProto whole = model.model(network(model, "image"));
    ModelStore store = new ModelStore(folder.resolve("models"), 1 << 20, 1);
    String id =
        store
            .add(
                upload(store, archive(whole, "weights/data.bin")),
                "split",
                Optional.empty(),
                () -> false)
            .id();
    assertSameAnswers(whole.toByteArray(), store.get(id, () -> false), 1e-4f);
    assertSameAnswers(
        whole.toByteArray(),
        new ModelStore(folder.resolve("models"), 1 << 20, 1).get(id, () -> false),
        1e-4f);
  }

  @Test
  void whatMacOsPacksBesideEachFileIsPassedOver() throws IOException {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    ModelProto whole = model.model(network(model, "image"));
    Map<String, byte[]> files = new LinkedHashMap<>();
    files.put("net/.DS_Store", new byte[4]);
    files.put("net/model.onnx", external(whole, "data.bin").toByteArray());
    files.put("__MACOSX/net/._model.onnx", new byte[163]);
    files.put("net/data.bin", data(whole).toByteArray());
    files.put("net/._data.onnx", new byte[163]);
    ModelStore store = new ModelStore(folder.resolve("models"), 1 << 20, 1);
    String id =
        store
            .add(
                upload(store, Samples.zip(files)),
                "packed by Finder",
                Optional.empty(),
                () -> false)
            .id();
    assertSameAnswers(whole.toByteArray(), store.get(id, () -> false), 1e-4f);
  }

  @Test
  void dataIsTakenFromTheArchiveAndNowhereElse() throws IOException {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    ModelProto whole = model.model(network(model, "image"));
    Path outside = Files.write(folder.resolve("secret"), new byte[1 << 16]);
    ModelStore store = new ModelStore(folder.resolve("models"), 1 << 20, 1);
    for (String place : List.of(outside.toString(), "../secret", "../../secret", "data.bin/..")) {
      Map<String, byte[]> files = new LinkedHashMap<>();
      files.put("net/model.onnx", external(whole, place).toByteArray());
      Path upload = upload(store, Samples.zip(files));
      HaqException error =
          assertThrows(
              HaqException.class, () -> store.add(upload, "evil", Optional.empty(), () -> false));
      assertEquals(Reason.INVALID_MODEL, error.reason());
      assertTrue(error.getMessage().contains("not in the archive"), error.getMessage());
    }
    try (Stream<Path> left = Files.list(folder.resolve("models"))) {
      assertEquals(0, left.count());
    }
  }

  @Test
  void anArchiveThatUnpacksToTooMuchIsRefused() throws IOException {
    ModelStore store = new ModelStore(folder.resolve("models"), 1 << 20, 1);
    Map<String, byte[]> files = new LinkedHashMap<>();
    files.put("data.bin", new byte[2 << 20]);
    files.put("model.onnx", new byte[10]);
    Path upload = upload(store, Samples.zip(files));
    HaqException error =
        assertThrows(
            HaqException.class, () -> store.add(upload, "bomb", Optional.empty(), () -> false));
    assertEquals(Reason.TOO_LARGE, error.reason());
  }

  @Test
  void whatCouldRunForeverOrFillTheMemoryIsRefusedBeforeItRuns() {
    assertRefused(Reason.UNSUPPORTED_OPERATOR, with("Loop"));
    SmallModel tiled = new SmallModel(3, SIDE, SIDE);
    String many = tiled.node("Tile", "image", tiled.initializer(1, 1, 1 << 14, 1 << 14));
    assertRefused(Reason.TOO_LARGE, tiled.bytes(network(tiled, many)));
    SmallModel deep = new SmallModel(3, SIDE, SIDE);
    String wide = deep.node("Tile", "image", deep.initializer(1, 1, 512, 512));
    assertRefused(
        Reason.TOO_LARGE,
        deep.bytes(deep.gemm(deep.pooled(deep.conv(wide, 3, 30, 31, 1, 1)), 30, 5)));
  }

  @Test
  void aGrowingOperatorOfComputedSizesIsRefusedBeforeItRuns() {
    for (String type : List.of("Expand", "Tile")) {
      SmallModel model = new SmallModel(3, SIDE, SIDE);
      // How many sizes are taken is known only by counting the image's values.
      String count = model.node("Shape", model.node("NonZero", "image"));
      String end = model.node("Gather", count, model.initializer(1));
      String sizes =
          model.node("Slice", model.initializer(1, 3, 1 << 12, 1 << 12), model.initializer(0), end);
      String grown = model.node(type, model.node("GlobalAveragePool", "image"), sizes);
      assertRefused(Reason.TOO_LARGE, model.bytes(network(model, grown)));
    }
  }

  @Test
  void sizesThatAreReadOffATensorAreTaken() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String conv = model.conv("image", 3, 8, 3, 1, 1);
    // As exporters write x.view(x.size(0), -1): a scalar, made a vector again.
    model.graph().addInitializer(Tensors.of("zero", new long[] {0}));
    String batch = model.node("Gather", model.node("Shape", conv), "zero");
    String first = model.node("Unsqueeze", batch, model.initializer(0));
    NodeProto axis = NodeProto.newBuilder().addAttribute(Nodes.integer("axis", 0)).build();
    String sizes = model.node("Concat", List.of(first, model.initializer(-1)), axis);
    String flat = model.node("Reshape", model.node("GlobalAveragePool", conv), sizes);
    byte[] bytes = model.bytes(model.gemm(flat, 8, 5));
    ImportedModel imported = ModelImporter.read(bytes, "id", "name");
    assertEquals(2, imported.network().size());
    assertFalse(imported.graph().fixedBatch());
    assertSameAnswers(bytes, imported, 1e-4f);
  }

  private static byte[] with(String type) {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    return model.bytes(network(model, model.node(type, "image")));
  }

  private static List<String> names(ImportedModel model) {
    return model.network().layers().stream().map(Layer::name).toList();
  }

  private static Path upload(ModelStore store, byte[] bytes) throws IOException {
    return Files.write(store.newUpload(), bytes);
  }

  /** The model with its weights in one file beside it. */
  private static byte[] archive(ModelProto model, String place) {
    Map<String, byte[]> files = new LinkedHashMap<>();
    files.put("net/", new byte[0]);
    files.put("net/model.onnx", external(model, place).toByteArray());
    files.put("net/" + place, data(model).toByteArray());
    return Samples.zip(files);
  }

  private static ByteString data(ModelProto model) {
    return model.getGraph().getInitializerList().stream()
        .map(TensorProto::getRawData)
        .reduce(ByteString.EMPTY, ByteString::concat);
  }

  private static ModelProto external(ModelProto model, String place) {
    ModelProto.Builder changed = model.toBuilder();
    int offset = 0;
    for (TensorProto.Builder tensor : changed.getGraphBuilder().getInitializerBuilderList()) {
      int size = tensor.getRawData().size();
      tensor
          .clearRawData()
          .setDataLocation(TensorProto.DataLocation.EXTERNAL)
          .addExternalData(entry("location", place))
          .addExternalData(entry("offset", Integer.toString(offset)))
          .addExternalData(entry("length", Integer.toString(size)));
      offset += size;
    }
    return changed.build();
  }

  private static StringStringEntryProto entry(String key, String value) {
    return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
  }

  /** An initializer of these values rounded to multiples of 1/256, which float16 holds exactly. */
  private static String half(SmallModel model, float[] values, int... dims) {
    String name = "half" + model.graph().getInitializerCount();
    ByteBuffer bytes = ByteBuffer.allocate(2 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      bytes.putShort(half(Math.round(value * 256) / 256f));
    }
    TensorProto.Builder tensor =
        TensorProto.newBuilder()
            .setName(name)
            .setDataType(TensorProto.DataType.FLOAT16.getNumber())
            .setRawData(ByteString.copyFrom(bytes.flip()));
    for (int dim : dims) {
      tensor.addDims(dim);
    }
    model.graph().addInitializer(tensor);
    return name;
  }

  private static short half(float value) {
    if (value == 0) {
      return 0;
    }
    int bits = Float.floatToIntBits(value);
    int exponent = (bits >>> 23 & 0xFF) - 112;
    return (short) (((bits >>> 16) & 0x8000) | (exponent << 10) | ((bits >>> 13) & 0x3FF));
  }

  private static float[] halfAnswers(byte[] model) throws OrtException {
    float[] image = Imports.images(2);
    ByteBuffer halves = ByteBuffer.allocateDirect(2 * image.length).order(ByteOrder.nativeOrder());
    for (float value : image) {
      halves.putShort(half(value));
    }
    try (OnnxTensor input =
        OnnxTensor.createTensor(
            Ort.environment(),
            halves.flip(),
            new long[] {2, 3, SIDE, SIDE},
            OnnxJavaType.FLOAT16)) {
      return Imports.run(model, input);
    }
  }
}
