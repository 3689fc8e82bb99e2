package dev.haq.quantizer.importing;

import static dev.haq.quantizer.importing.Imports.SIDE;
import static dev.haq.quantizer.importing.Imports.assertRefused;
import static dev.haq.quantizer.importing.Imports.network;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import dev.haq.model.Reason;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Ort;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class HeldAtOnceTest {
  private static final Pattern RUN = Pattern.compile("\"name\" ?: ?\"(\\w+)_kernel_time\"");

  /** So that an image of 8x8 comes to 2^25 values and hardly less. */
  private static final float SCALE = 418;

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void theOrderIsThatInWhichOnnxRuntimeRunsNodes(long seed) throws OrtException, IOException {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    Random random = new Random(seed);
    List<String> tensors = new ArrayList<>(List.of("image"));
    for (int i = 0; i < 60; i++) {
      String one = tensors.get(random.nextInt(tensors.size()));
      String other = tensors.get(random.nextInt(tensors.size()));
      tensors.add(random.nextBoolean() ? model.node("Add", one, other) : model.node("Neg", one));
    }
    String end = tensors.get(tensors.size() - 1);
    ModelProto whole = model.model(end);

    assertEquals(
        run(whole),
        new HeldAtOnce(whole.getGraph().getNodeList())
            .order().stream().map(NodeProto::getName).toList());
  }

  private List<String> run(ModelProto model) throws OrtException, IOException {
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setOptimizationLevel(OptLevel.NO_OPT);
      options.enableProfiling(folder.resolve("run").toString());
      try (OrtSession session = Ort.environment().createSession(model.toByteArray(), options);
          OnnxTensor image =
              OnnxTensor.createTensor(
                  Ort.environment(),
                  FloatBuffer.allocate(3 * SIDE * SIDE),
                  new long[] {1, 3, SIDE, SIDE})) {
        session.run(Map.of("image", image)).close();
        String events = Files.readString(Path.of(session.endProfiling()));
        return RUN.matcher(events).results().map(match -> match.group(1)).toList();
      }
    }
  }

  @Test
  void aTensorIsHeldUntilItsLastReaderHasRun() {
    NodeProto first = Nodes.node("Neg", List.of("image"), "a").build();
    NodeProto second = Nodes.node("Neg", List.of("a"), "b").build();
    NodeProto third = Nodes.node("Neg", List.of("b"), "c").build();
    NodeProto sum = Nodes.node("Add", List.of("a", "c"), "d").build();
    List<NodeProto> chain = List.of(first, second, third);

    assertEquals(2, held(chain, Set.of("c")));
    assertEquals(3, held(chain, Set.of("a", "c")));
    assertEquals(3, held(List.of(first, second, third, sum), Set.of("d")));
    assertEquals(
        5,
        HeldAtOnce.of(chain, name -> 1, node -> node.equals(second) ? 3 : 0, Set.of("c")).values(),
        "what an operator holds beside its result counts while it runs");
  }

  private static double held(List<NodeProto> nodes, Set<String> kept) {
    return HeldAtOnce.of(nodes, name -> 1, node -> 0, kept).values();
  }

  @Test
  void manyLargeTensorsThatOneNodeReadsAreRefused() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String large = model.node("Resize", "image", "", scales(model));
    List<String> all = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      all.add(model.node("Neg", large));
    }
    String sum = model.node("Sum", all.toArray(String[]::new));
    assertHeldAtOnce(model, model.node("ReduceMax", sum));
  }

  /** All 24 come before the first of the sums that they are added to. */
  @Test
  void largeTensorsThatOnnxRuntimeComputesBeforeTheyAreReadAreRefused() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String large = model.node("Resize", "image", "", scales(model));
    String most = model.node("ReduceMax", large);
    for (int i = 0; i < 24; i++) {
      most = model.node("ReduceMax", model.node("Add", model.node("Neg", large), most));
    }
    assertHeldAtOnce(model, most);
  }

  @Test
  void whatOperatorsHoldBesideTheirResultsIsRefused() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String image =
        model.node("Resize", "image", "", model.initializer(new float[] {1, 1, 3, 3}, 4));
    String weights = model.node("ConstantOfShape", model.initializer(3, 1, 2000, 2000));
    assertHeldAtOnce(model, model.node("ReduceMax", model.node("ConvTranspose", image, weights)));
  }

  private static String scales(SmallModel model) {
    return model.initializer(new float[] {1, 1, SCALE, SCALE}, 4);
  }

  private static void assertHeldAtOnce(SmallModel model, String most) {
    String scores = network(model, model.node("Add", "image", most));
    String message = assertRefused(Reason.TOO_LARGE, model.bytes(scores));
    assertTrue(message.contains("held at once"), message);
  }
}
