package dev.haq.quantizer.importing;

import static dev.haq.quantizer.importing.Imports.SIDE;
import static dev.haq.quantizer.importing.Imports.assertRefused;
import static dev.haq.quantizer.importing.Imports.assertSameAnswers;
import static dev.haq.quantizer.importing.Imports.network;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.quantizer.onnx.ImportedModel;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Tensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class PiecewiseRunTest {
  private static final int CHANNELS = 128;
  private static final int TOKENS = SIDE * SIDE;

  @TempDir Path folder;

  @Test
  void attentionOfComputedSizesIsTaken() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String tokens = tokens(model);
    for (int block = 0; block < 3; block++) {
      tokens = attention(model, tokens);
    }
    String mean = model.node("ReduceMean", List.of(tokens), axis(1));
    byte[] bytes = model.bytes(model.gemm(mean, CHANNELS, 5));
    ImportedModel imported = ModelImporter.read(bytes, "id", "name");

    assertEquals(8, imported.network().size());
    assertFalse(imported.graph().fixedBatch());
    assertEquals(List.of(1, TOKENS, CHANNELS), imported.graph().shapes().get(tokens));
    assertSameAnswers(bytes, imported, 1e-3f);
  }

  /** As exporters write x.chunk(2, 1) and x.view(b, 2, c / 2, h, w) where the batch is free. */
  @Test
  void halvesAndShuffledChannelsOfComputedSizesAreTaken() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String features = model.conv("image", 3, CHANNELS, 3, 1, 1);
    for (int block = 0; block < 3; block++) {
      String half =
          model.node("Div", model.node("Add", size(model, features, 1), one(model)), two(model));
      String kept = slice(model, features, model.initializer(0), half);
      String rest = slice(model, features, half, model.node("Mul", half, model.initializer(2)));
      int channels = CHANNELS / 2;
      String changed = model.relu(model.conv(rest, channels, channels, 3, 1, 1));
      String both = concat(model, 1, kept, changed);
      String apart =
          concat(
              model,
              0,
              size(model, both, 0),
              two(model),
              model.node("Div", size(model, both, 1), two(model)),
              size(model, both, 2),
              size(model, both, 3));
      String turned = model.transposed(model.node("Reshape", both, apart), 0, 2, 1, 3, 4);
      String together =
          concat(
              model,
              0,
              size(model, both, 0),
              model.initializer(-1),
              size(model, both, 2),
              size(model, both, 3));
      features = model.node("Reshape", turned, together);
    }
    byte[] bytes = model.bytes(model.gemm(model.pooled(features), CHANNELS, 5));
    ImportedModel imported = ModelImporter.read(bytes, "id", "name");

    assertEquals(5, imported.network().size());
    assertFalse(imported.graph().fixedBatch());
    assertSameAnswers(bytes, imported, 1e-3f);
  }

  /** As exporters write a class token that is repeated for each image. */
  @Test
  void aTensorThatIsRepeatedForEachImageIsTaken() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String tokens = tokens(model);
    String sizes =
        concat(model, 0, size(model, tokens, 0), model.initializer(-1), model.initializer(-1));
    String ones = model.node("ConstantOfShape", model.node("Shape", sizes));
    String filled = model.node("Cast", List.of(ones), to(TensorProto.DataType.INT64));
    String kept = model.node("Mul", filled, model.initializer(-1));
    String asked = model.node("Where", model.node("Equal", sizes, kept), filled, sizes);
    String token = model.initializer(model.values(CHANNELS, 1), 1, 1, CHANNELS);
    String repeated =
        model.node("Expand", token, model.node("Max", asked, model.initializer(1, 1, 1)));
    String all = concat(model, 1, repeated, tokens);
    String mixed = model.matMul(all, CHANNELS, CHANNELS);
    NodeProto first = NodeProto.newBuilder().addAttribute(Nodes.integer("axis", 1)).build();
    String scores = model.node("Gather", List.of(mixed, model.wholeNumber(0)), first);
    byte[] bytes = model.bytes(model.gemm(scores, CHANNELS, 5));
    ImportedModel imported = ModelImporter.read(bytes, "id", "name");

    assertEquals(3, imported.network().size());
    assertFalse(imported.graph().fixedBatch());
    assertSameAnswers(bytes, imported, 1e-3f);
  }

  private static NodeProto to(TensorProto.DataType type) {
    return NodeProto.newBuilder().addAttribute(Nodes.integer("to", type.getNumber())).build();
  }

  private static String one(SmallModel model) {
    return model.initializer(1);
  }

  private static String two(SmallModel model) {
    return model.initializer(2);
  }

  /** A dimension of a tensor as a vector of one: picked as a scalar, made a vector again. */
  private static String size(SmallModel model, String tensor, long dimension) {
    String picked = model.node("Gather", model.node("Shape", tensor), model.wholeNumber(dimension));
    return model.node("Unsqueeze", picked, model.initializer(0));
  }

  private static String slice(SmallModel model, String tensor, String from, String to) {
    return model.node("Slice", tensor, from, to, model.initializer(1));
  }

  private static String concat(SmallModel model, long axis, String... parts) {
    NodeProto join = NodeProto.newBuilder().addAttribute(Nodes.integer("axis", axis)).build();
    return model.node("Concat", List.of(parts), join);
  }

  private static String attention(SmallModel model, String tokens) {
    String queries = model.matMul(tokens, CHANNELS, CHANNELS);
    String keys = model.transposed(model.matMul(tokens, CHANNELS, CHANNELS), 0, 2, 1);
    String weights = model.node("Softmax", model.node("MatMul", queries, keys));
    return model.node("Add", tokens, model.node("MatMul", weights, tokens));
  }

  /** A convolution's result as [batch, pixels, channels], of sizes that are computed. */
  private static String tokens(SmallModel model) {
    String conv = model.conv("image", 3, CHANNELS, 3, 1, 1);
    String sizes = model.node("Shape", conv);
    String batch = model.node("Slice", sizes, model.initializer(0), model.initializer(1));
    NodeProto join = NodeProto.newBuilder().addAttribute(Nodes.integer("axis", 0)).build();
    String flat = model.node("Concat", List.of(batch, model.initializer(CHANNELS, -1)), join);
    return model.transposed(model.node("Reshape", conv, flat), 0, 2, 1);
  }

  @Test
  void whoLeavesEndsTheImportBeforeTheNextPiece() throws IOException {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String mean = model.node("ReduceMean", List.of(attention(model, tokens(model))), axis(1));
    Path file =
        Files.write(folder.resolve("model.onnx"), model.bytes(model.gemm(mean, CHANNELS, 5)));
    AtomicInteger asked = new AtomicInteger();
    ModelImporter.read(
        file,
        "id",
        "name",
        Integer.MAX_VALUE,
        () -> {
          asked.incrementAndGet();
          return false;
        });
    assertTrue(asked.get() > 3, "asked " + asked);
    for (int times = 0; times < asked.get(); times++) {
      AtomicInteger left = new AtomicInteger(times);
      HaqException cancelled =
          assertThrows(
              HaqException.class,
              () ->
                  ModelImporter.read(
                      file, "id", "name", Integer.MAX_VALUE, () -> left.getAndDecrement() == 0));
      assertEquals(Reason.CANCELLED, cancelled.reason());
    }
  }

  /** Whose sizes do not tell how many terms a product's values have, though it has known sizes. */
  @Test
  void productsOfAnUnknownNumberOfTermsAreCountedWhereThatIsKnown() {
    for (boolean both : new boolean[] {false, true}) {
      SmallModel model = new SmallModel(3, SIDE, SIDE);
      String features = model.pooled(model.conv("image", 3, 8, 3, 1, 1));
      String end = model.node("Abs", size(model, features, 1));
      String all = model.node("Slice", features, model.initializer(0), end, model.initializer(1));
      String twice = concat(model, 1, features, all); // [1][?]
      String weights = model.initializer(model.values(16 * 5, 0.5), 16, 5);
      if (both) {
        weights = model.node("Slice", weights, model.initializer(0), model.node("Add", end, end));
      }
      byte[] bytes = model.bytes(model.node("MatMul", twice, weights));
      assertSameAnswers(bytes, ModelImporter.read(bytes, "id", "name"), 1e-3f);
    }
  }

  @Test
  void whatIsOfSizesThatValuesTellIsBoundedByWhatItIsMadeOf() {
    SmallModel model = new SmallModel(3, 1700, 1700);
    String message =
        assertRefused(
            Reason.UNSUPPORTED_OPERATOR,
            model.bytes(network(model, shifted(model, places(model)))));
    assertTrue(message.contains("NonZero"), message);
  }

  private static NodeProto axis(long axis) {
    return NodeProto.newBuilder()
        .addAttribute(Nodes.ints("axes", axis))
        .addAttribute(Nodes.integer("keepdims", 0))
        .build();
  }

  @Test
  void productsOfAsManyRowsAsAnImageHasValuesAreRefused() {
    SmallModel model = new SmallModel(3, 200, 200);
    String places = places(model);
    String table = model.node("MatMul", model.transposed(places, 1, 0), places);
    assertRefused(Reason.TOO_LARGE, model.bytes(network(model, shifted(model, table))));
  }

  @Test
  void sumsOfAColumnAndARowAreRefused() {
    SmallModel model = new SmallModel(3, 200, 200);
    String column = model.transposed(places(model), 1, 0);
    String narrow =
        model.node(
            "Slice", column, model.initializer(0), model.initializer(1), model.initializer(1));
    String row = model.initializer(new float[1 << 16], 1, 1 << 16);
    String table = model.node("Add", narrow, row);
    assertRefused(Reason.TOO_LARGE, model.bytes(network(model, shifted(model, table))));
  }

  @Test
  void aConvolutionThatPadsWhatIsOfComputedSizesIsRefused() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String sizes = model.node("Shape", "image");
    String same = model.node("Reshape", "image", model.node("Abs", sizes));
    NodeProto window =
        NodeProto.newBuilder()
            .addAttribute(Nodes.ints("pads", 40_000, 40_000, 40_000, 40_000))
            .build();
    String kernel = model.initializer(model.values(3 * 3, 0.1), 3, 3, 1, 1);
    String wide = model.node("Conv", List.of(same, kernel), window);
    assertRefused(Reason.TOO_LARGE, model.bytes(network(model, wide)));
  }

  @Test
  void constantsOfUnknownSizesAreBoundedToo() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String marks = model.initializer(model.values(1 << 16, 1), 1 << 16);
    String found = model.node("NonZero", marks);
    NodeProto real = NodeProto.newBuilder().addAttribute(Nodes.integer("to", 1)).build();
    String places = model.node("Cast", List.of(found), real);
    String table = model.node("MatMul", model.transposed(places, 1, 0), places);
    assertRefused(Reason.TOO_LARGE, model.bytes(network(model, shifted(model, table))));
  }

  @Test
  void moreComputedSizesThanExportersWriteAreRefused() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String image = model.node("Reshape", "image", model.node("Abs", model.node("Shape", "image")));
    NodeProto onePixel =
        NodeProto.newBuilder().addAttribute(Nodes.ints("kernel_shape", 1, 1)).build();
    for (int i = 0; i < 4100; i++) {
      image = model.node("MaxPool", List.of(image), onePixel);
    }
    String message = assertRefused(Reason.UNSUPPORTED_OPERATOR, model.bytes(network(model, image)));
    assertTrue(message.contains("not known before it runs"), message);
  }

  /** ONNX Runtime infers no shape of what a Normalizer computes, nor that a number is a scalar. */
  @Test
  void operatorsOfOtherDomainsThatKeepTheirInputsSizeAreTaken() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    model.graph().addInitializer(Tensors.uint8("five", new byte[] {5}));
    model.graph().addInitializer(Tensors.uint8("zero", new byte[] {0}));
    String half =
        model.node(
            "DequantizeLinear",
            List.of("five", model.graphScalar(0.1f), "zero"),
            NodeProto.newBuilder().setDomain("com.microsoft").build());
    String scores =
        model.node(
            "Normalizer",
            List.of(network(model, model.node("Mul", "image", half))),
            NodeProto.newBuilder()
                .setDomain("ai.onnx.ml")
                .addAttribute(Nodes.string("norm", "MAX"))
                .build());
    byte[] bytes =
        model.model(scores).toBuilder()
            .addOpsetImport(
                OperatorSetIdProto.newBuilder().setDomain("com.microsoft").setVersion(1))
            .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("ai.onnx.ml").setVersion(1))
            .build()
            .toByteArray();
    assertSameAnswers(bytes, ModelImporter.read(bytes, "id", "name"), 1e-3f);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void largeWeightsThatManyPiecesReadAreRefused(boolean raw) {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String same = model.node("Reshape", "image", model.node("Abs", model.node("Shape", "image")));
    String features = model.node("Flatten", same);
    String weights = model.initializer(new float[192 << 14], 192, 1 << 14); // 12 MiB
    if (!raw) {
      model
          .graph()
          .getInitializerBuilder(model.graph().getInitializerCount() - 1)
          .clearRawData()
          .addAllFloatData(Collections.nCopies(192 << 14, 0f));
    }
    for (int i = 0; i < 90; i++) {
      String wide = model.node("MatMul", features, weights);
      features =
          model.node(
              "Slice", wide, model.initializer(0), model.initializer(192), model.initializer(1));
    }
    String message =
        assertRefused(Reason.UNSUPPORTED_OPERATOR, model.bytes(model.gemm(features, 192, 5)));
    assertTrue(message.contains("large weights"), message);
  }

  /** Where an image is not zero, [4][places]. */
  private static String places(SmallModel model) {
    NodeProto real = NodeProto.newBuilder().addAttribute(Nodes.integer("to", 1)).build();
    return model.node("Cast", List.of(model.node("NonZero", "image")), real);
  }

  /** The image and a table's mean. */
  private static String shifted(SmallModel model, String table) {
    NodeProto one = NodeProto.newBuilder().addAttribute(Nodes.integer("keepdims", 0)).build();
    return model.node("Add", "image", model.node("ReduceMean", List.of(table), one));
  }
}
