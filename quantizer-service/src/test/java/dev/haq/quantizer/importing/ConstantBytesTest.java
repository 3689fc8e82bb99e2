package dev.haq.quantizer.importing;

import static dev.haq.quantizer.importing.Imports.SIDE;
import static dev.haq.quantizer.importing.Imports.network;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.AttributeProto.AttributeType;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.SparseTensorProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.ByteString;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.quantizer.models.ModelStore;
import dev.haq.quantizer.onnx.Tensors;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A small file may not come to more in memory than a large one. */
final class ConstantBytesTest {
  private static final int MOST_BYTES = 64 << 20;

  /** Of a layer's weights, 3x3 kernels: 2.4 MB. */
  private static final int CHANNELS = 256;

  private final SmallModel model = new SmallModel(3, SIDE, SIDE);

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void constantsThatAreFilledInAreRefusedBeforeTheyAre(boolean real) throws IOException {
    NodeProto value =
        NodeProto.newBuilder()
            .addAttribute(
                AttributeProto.newBuilder()
                    .setName("value")
                    .setType(AttributeType.TENSOR)
                    .setT(
                        real
                            ? Tensors.of("value", new float[] {1}, 1)
                            : Tensors.of("value", new long[] {1}, 1)))
            .build();
    // 64 MiB and 9 KiB
    String table =
        model.node("ConstantOfShape", List.of(model.initializer(real ? 16386 : 8193, 1024)), value);
    String most = model.node("ReduceMax", model.node("Add", cast(table), mean()));
    String message = assertTooLarge(model.bytes(network(model, model.node("Add", "image", most))));
    assertTrue(message.contains("ConstantOfShape"), message);
  }

  @Test
  void constantsThatAreComputedCountTogether() throws IOException {
    String most = mean();
    for (int i = 0; i < 5; i++) {
      String table = model.node("ConstantOfShape", model.initializer(4096, 1024)); // 16 MiB
      most = model.node("ReduceMax", model.node("Add", table, most));
    }
    assertTooLarge(model.bytes(network(model, model.node("Add", "image", most))));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void weightsCountForEachLayerThatReadsThem(boolean filled) throws IOException {
    assertEquals(23, taken(layers(22, filled)));
    assertTooLarge(layers(40, filled));
  }

  /** All but the first and the last of the same weights. */
  private static byte[] layers(int count, boolean filled) {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String weights =
        filled
            ? model.node("ConstantOfShape", model.initializer(CHANNELS, CHANNELS, 3, 3))
            : model.initializer(new float[CHANNELS * CHANNELS * 9], CHANNELS, CHANNELS, 3, 3);
    String features = model.node("GlobalAveragePool", model.conv("image", 3, CHANNELS, 3, 1, 1));
    for (int i = 1; i < count; i++) {
      features = model.node("Conv", List.of(features, weights), SmallModel.window(3, 1, 1));
    }
    return model.bytes(model.gemm(model.pooled(features), CHANNELS, 5));
  }

  @Test
  void aConstantCountsForEachNameThatItHas() throws IOException {
    String table = model.initializer(new float[1 << 20], 1 << 10, 1 << 10); // 4 MiB
    String most = mean();
    for (int i = 0; i < 20; i++) {
      String same = model.node("Identity", table);
      most = model.node("ReduceMax", model.node("Mul", same, most));
    }
    assertTooLarge(model.bytes(network(model, model.node("Add", "image", most))));
  }

  @Test
  void aSparseConstantCountsAsItIsWrittenOut() throws IOException {
    SparseTensorProto.Builder sparse =
        SparseTensorProto.newBuilder()
            .setValues(Tensors.of("value", new float[] {1}, 1))
            .setIndices(Tensors.of("index", new long[] {3}, 1))
            .addDims(1)
            .addDims(1L << 40);
    NodeProto value =
        NodeProto.newBuilder()
            .addAttribute(
                AttributeProto.newBuilder()
                    .setName("sparse_value")
                    .setType(AttributeType.SPARSE_TENSOR)
                    .setSparseTensor(sparse))
            .build();
    String most = model.node("ReduceMax", model.node("Constant", List.of(), value));
    assertTooLarge(model.bytes(network(model, model.node("Add", "image", most))));
  }

  @Test
  void numbersOf16BitsCountAsFloats() throws IOException {
    int rows = 9 << 10; // 18 MiB, 36 as floats
    model
        .graph()
        .addInitializer(
            TensorProto.newBuilder()
                .setName("halves")
                .setDataType(TensorProto.DataType.FLOAT16.getNumber())
                .addDims(rows)
                .addDims(1024)
                .setRawData(ByteString.copyFrom(new byte[rows * 1024 * 2])));
    String most = model.node("ReduceMax", model.node("Mul", "halves", mean()));
    byte[] bytes = model.bytes(network(model, model.node("Add", "image", most)));
    assertEquals(4, taken(bytes));
    assertTooLarge(new ModelStore(folder.resolve("small"), 32 << 20, 1), bytes);
  }

  @Test
  void aFileOfManySmallMessagesIsRefusedBeforeItIsRead() throws IOException {
    ModelProto empty =
        ModelProto.newBuilder()
            .setGraph(
                GraphProto.newBuilder()
                    .addAllNode(Collections.nCopies(1_000_000, NodeProto.getDefaultInstance())))
            .build();
    assertTooLarge(joined(small(), empty.toByteArray()));
  }

  @Test
  void numbersCountAsTheyAreHeldBeforeTheyAreRead() throws IOException {
    int count = 20 << 20; // a byte each, and 8 in memory
    byte[] numbers =
        ModelProto.newBuilder()
            .setGraph(
                GraphProto.newBuilder()
                    .addInitializer(
                        TensorProto.newBuilder()
                            .setName("unread")
                            .setDataType(TensorProto.DataType.INT64.getNumber())
                            .addDims(count)
                            .addAllInt64Data(Collections.nCopies(count, 0L))))
            .build()
            .toByteArray();
    assertTooLarge(joined(small(), numbers));
  }

  /** Two messages one after the other are one that has the fields of both. */
  private static byte[] joined(byte[] first, byte[] second) {
    ByteArrayOutputStream both = new ByteArrayOutputStream();
    both.writeBytes(first);
    both.writeBytes(second);
    return both.toByteArray();
  }

  private static byte[] small() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    return model.bytes(network(model, "image"));
  }

  private String mean() {
    return model.node("ReduceMean", "image");
  }

  private String cast(String tensor) {
    return model.cast(tensor, TensorProto.DataType.FLOAT);
  }

  private Path file(byte[] bytes) throws IOException {
    return Files.write(folder.resolve("upload"), bytes);
  }

  private int taken(byte[] bytes) throws IOException {
    return new ModelStore(folder, MOST_BYTES, 1)
        .add(file(bytes), "name", Optional.empty(), () -> false)
        .network()
        .size();
  }

  private String assertTooLarge(byte[] bytes) throws IOException {
    return assertTooLarge(new ModelStore(folder, MOST_BYTES, 1), bytes);
  }

  private String assertTooLarge(ModelStore store, byte[] bytes) throws IOException {
    Path file = file(bytes);
    HaqException refusal =
        assertThrows(
            HaqException.class, () -> store.add(file, "name", Optional.empty(), () -> false));
    assertEquals(Reason.TOO_LARGE, refusal.reason(), refusal.getMessage());
    assertTrue(refusal.getMessage().contains("limits.model-bytes"), refusal.getMessage());
    return refusal.getMessage();
  }
}
