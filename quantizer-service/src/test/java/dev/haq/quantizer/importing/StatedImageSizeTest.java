package dev.haq.quantizer.importing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import dev.haq.model.HaqException;
import dev.haq.model.ImageSize;
import dev.haq.model.Reason;
import dev.haq.quantizer.models.ModelStore;
import dev.haq.quantizer.models.StoredModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class StatedImageSizeTest {
  private static final int FIXED = 8;

  @TempDir Path folder;
  private ModelStore store;

  @BeforeEach
  void open() {
    store = new ModelStore(folder, 1 << 20, 4);
  }

  @Test
  void aModelThatLeavesItsImageSizeOpenTakesTheOneThatIsStated() throws IOException {
    StoredModel model = add(openSize(), Optional.of(new ImageSize(24, 16)));

    assertEquals(List.of(3, 24, 16), model.inputShape());
    assertEquals(24L * 16 * 8 * 27, model.network().layer(0).macs());
  }

  @Test
  void weightsThatAreListedAsInputsKeepTheirSizes() throws IOException {
    ModelProto.Builder old = ModelProto.parseFrom(openSize()).toBuilder().setIrVersion(3);
    for (TensorProto weights : old.getGraph().getInitializerList()) {
      TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
      weights.getDimsList().forEach(size -> shape.addDimBuilder().setDimValue(size));
      old.getGraphBuilder()
          .addInputBuilder()
          .setName(weights.getName())
          .getTypeBuilder()
          .getTensorTypeBuilder()
          .setElemType(weights.getDataType())
          .setShape(shape);
    }

    StoredModel model = add(old.build().toByteArray(), Optional.of(new ImageSize(24, 16)));
    assertEquals(List.of(3, 24, 16), model.inputShape());
  }

  @Test
  void eachSizeIsAModelOfItsOwn() throws IOException {
    StoredModel small = add(openSize(), Optional.of(new ImageSize(8, 8)));
    StoredModel large = add(openSize(), Optional.of(new ImageSize(16, 16)));

    assertNotEquals(small.id(), large.id());
    assertEquals(
        List.of(3, 16, 16),
        new ModelStore(folder, 1 << 20, 4).get(large.id(), () -> false).graph().inputShape());
  }

  @Test
  void withoutASizeTheErrorSaysHowToStateIt() {
    HaqException error = assertThrows(HaqException.class, () -> add(openSize(), Optional.empty()));

    assertEquals(Reason.INVALID_MODEL, error.reason());
    assertTrue(error.getMessage().contains("--image-size"), error.getMessage());
  }

  @Test
  void channelsThatAreOpenTooAreThoseOfTheFirstConvolution() throws IOException {
    ModelProto.Builder open = ModelProto.parseFrom(openSize()).toBuilder();
    inputShape(open).getDimBuilder(1).setDimParam("channels");

    StoredModel model = add(open.build().toByteArray(), Optional.of(new ImageSize(24, 16)));
    assertEquals(List.of(3, 24, 16), model.inputShape());
  }

  @Test
  void channelsThatAreOpenAndLastAreThoseOfTheFirstConvolution() throws IOException {
    SmallModel model = new SmallModel(FIXED, FIXED, 3);
    String turned = model.transposed(model.node("Identity", "image"), 0, 3, 1, 2);
    String features = model.pooled(model.relu(model.conv(turned, 3, 8, 3, 1, 1)));
    ModelProto.Builder open = model.model(model.gemm(features, 8, 5)).toBuilder();
    for (int axis = 1; axis < 4; axis++) {
      inputShape(open).getDimBuilder(axis).setDimParam("size" + axis);
    }

    StoredModel stored = add(open.build().toByteArray(), Optional.of(new ImageSize(24, 16)));
    assertEquals(List.of(3, 24, 16), stored.inputShape());
  }

  @Test
  void channelsThatNothingTellsAreNamedInTheError() throws IOException {
    SmallModel model = new SmallModel(3, FIXED, FIXED);
    String pooled = model.pooled(model.relu("image"));
    ModelProto.Builder open = model.model(model.gemm(pooled, 3, 5)).toBuilder();
    inputShape(open).getDimBuilder(1).clearDimValue();
    HaqException error =
        assertThrows(HaqException.class, () -> add(open.build().toByteArray(), Optional.empty()));

    assertEquals(Reason.INVALID_MODEL, error.reason());
    assertTrue(error.getMessage().contains("leaves its channels open"), error.getMessage());
  }

  @Test
  void anotherSizeThanTheFilesOwnIsRefused() {
    byte[] fixed = model().toByteArray();
    HaqException error =
        assertThrows(
            HaqException.class, () -> add(fixed, Optional.of(new ImageSize(FIXED, FIXED + 1))));

    assertEquals(Reason.INVALID_MODEL, error.reason());
  }

  private StoredModel add(byte[] bytes, Optional<ImageSize> size) throws IOException {
    Path upload = store.newUpload();
    Files.write(upload, bytes);
    return store.add(upload, "net", size, () -> false);
  }

  private static ModelProto model() {
    SmallModel model = new SmallModel(3, FIXED, FIXED);
    String features = model.pooled(model.relu(model.conv("image", 3, 8, 3, 1, 1)));
    return model.model(model.gemm(features, 8, 5));
  }

  private static TensorShapeProto.Builder inputShape(ModelProto.Builder model) {
    return model
        .getGraphBuilder()
        .getInputBuilder(0)
        .getTypeBuilder()
        .getTensorTypeBuilder()
        .getShapeBuilder();
  }

  private static byte[] openSize() {
    ModelProto.Builder model = model().toBuilder();
    TensorShapeProto.Builder shape = inputShape(model);
    shape.getDimBuilder(2).setDimParam("height");
    shape.getDimBuilder(3).clearDimValue();
    return model.build().toByteArray();
  }
}
