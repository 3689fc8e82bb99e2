package dev.haq.quantizer.eval;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.haq.model.BitWidth;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import dev.haq.model.Recipe;
import dev.haq.model.Recipe.WeightScales;
import dev.haq.quantizer.graphs.EqualisedGraph;
import dev.haq.quantizer.graphs.FakeQuantizedGraph;
import dev.haq.quantizer.graphs.FloatGraph;
import dev.haq.quantizer.graphs.GraphWriter;
import dev.haq.quantizer.graphs.IntegerGraph;
import dev.haq.quantizer.graphs.LayerForm;
import dev.haq.quantizer.graphs.Processor;
import dev.haq.quantizer.graphs.QdqGraph;
import dev.haq.quantizer.graphs.WholeSumsGraph;
import dev.haq.quantizer.importing.ModelImporter;
import dev.haq.quantizer.importing.SmallModel;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.GraphNode.Quantizable;
import dev.haq.quantizer.onnx.ImportedModel;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Ort;
import dev.haq.quantizer.quant.Numerics;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The fast forms of a quantized graph against the plain one that judges them. */
final class GraphFormsAgreeTest {
  private static final int SIDE = 12;
  private static final int IMAGES = 12;
  private static final int CLASSES = 7;

  /**
   * Share of the scores' spread that a score may be off by on average. Sums in another order put a
   * few activations on the neighbouring step.
   */
  private static final double TOLERANCE = 0.03;

  private static SessionRunner runner;

  @BeforeAll
  static void startThreads() {
    runner = new SessionRunner(2);
  }

  @AfterAll
  static void stopThreads() {
    runner.close();
  }

  static Stream<Named<ImportedModel>> models() {
    return Stream.of(
        model("plain", m -> m.relu(m.conv("image", 3, 8, 3, 1, 1)), 8),
        model(
            "channels that were pruned",
            m -> {
              String stem = m.relu(m.prunedConv("image", 3, 16, 3));
              String sum = m.node("Add", stem, m.prunedConv(stem, 16, 16, 3));
              return m.relu(m.prunedConv(m.relu(m.prunedConv(sum, 16, 16, 1)), 16, 8, 3));
            },
            8),
        model(
            "batch-norm and ReLU6",
            m -> m.relu6(m.batchNorm(m.conv("image", 3, 8, 3, 2, 1), 8)),
            8),
        model(
            "depthwise separable",
            m -> {
              String stem = m.relu6(m.conv("image", 3, 16, 3, 1, 1));
              String deep = m.relu6(m.conv(stem, 16, 16, 3, 2, 16));
              return m.relu6(m.conv(deep, 16, 24, 1, 1, 1));
            },
            24),
        model(
            "depthwise layers of channels that fill no register, one of them on real numbers",
            m -> {
              String stem = m.relu(m.conv("image", 3, 20, 3, 2, 1));
              String deep = m.relu(m.conv(stem, 20, 20, 3, 1, 20));
              String grouped = m.relu(m.conv(deep, 20, 20, 3, 1, 5));
              String sum =
                  m.node("Add", m.conv(grouped, 20, 20, 3, 1, 1), m.conv(deep, 20, 20, 1, 1, 1));
              return m.conv(m.conv(m.relu(sum), 20, 20, 3, 1, 20), 20, 12, 1, 1, 1);
            },
            12),
        model(
            "groups that divide nothing evenly",
            m -> {
              String stem = m.relu(m.conv("image", 3, 6, 3, 1, 1));
              String grouped = m.relu(m.conv(stem, 6, 9, 3, 1, 3));
              String deep = m.relu(m.conv(grouped, 9, 9, 3, 2, 9));
              return m.conv(m.relu(m.conv(deep, 9, 6, 3, 1, 3)), 6, 5, 3, 1, 1);
            },
            5),
        model(
            "depthwise first",
            m -> m.relu(m.conv(m.conv("image", 3, 3, 3, 1, 3), 3, 8, 1, 1, 1)),
            8),
        model(
            "residual with a linear bottleneck",
            m -> {
              String stem = m.conv(m.relu(m.conv("image", 3, 8, 3, 1, 1)), 8, 16, 1, 1, 1);
              String wide = m.relu6(m.conv(stem, 16, 32, 1, 1, 1));
              String deep = m.relu6(m.conv(wide, 32, 32, 3, 1, 32));
              return m.node("Add", stem, m.conv(deep, 32, 16, 1, 1, 1));
            },
            16),
        model(
            "residual of 3x3 convolutions with a strided shortcut",
            m -> {
              String stem = m.relu(m.conv("image", 3, 32, 3, 1, 1));
              String branch = m.relu(m.conv(stem, 32, 64, 3, 2, 1));
              String sum =
                  m.node("Add", m.conv(branch, 64, 64, 3, 1, 1), m.conv(stem, 32, 64, 1, 2, 1));
              String out = m.relu(sum);
              return m.relu(
                  m.node(
                      "Add", out, m.conv(m.relu(m.conv(out, 64, 64, 3, 1, 1)), 64, 64, 3, 1, 1)));
            },
            64),
        model(
            "sums of convolutions of all strides, dilations, kernels and paddings",
            m -> {
              String stem = m.relu(m.conv("image", 3, 16, 3, 1, 1));
              String dilated =
                  windowed(m, stem, 3, 3, Nodes.ints("dilations", 2, 2), pads(2, 2, 2, 2));
              String even = windowed(m, stem, 2, 4, pads(0, 1, 1, 2));
              String sum = m.relu(m.node("Add", dilated, even));
              String strided =
                  windowed(m, sum, 3, 3, Nodes.ints("strides", 2, 2), pads(0, 0, 1, 1));
              String other = windowed(m, sum, 4, 2, Nodes.ints("strides", 2, 2), pads(2, 0, 0, 0));
              return m.relu(m.node("Add", strided, other));
            },
            16),
        model(
            "option-A shortcut by slicing and padding",
            m ->
                shortcut(
                    m,
                    m.relu(m.conv("image", 3, 8, 3, 1, 1)),
                    8,
                    m.initializer(0, 0),
                    m.initializer(1000, 1000),
                    m.initializer(2, 3),
                    m.initializer(2, 2)),
            16),
        model(
            "option-A shortcut by slices of 32 bits, as TensorFlow has them",
            m ->
                shortcut(
                    m,
                    // On every processor with channels last.
                    m.relu(m.conv(m.relu(m.conv("image", 3, 32, 3, 1, 1)), 32, 32, 3, 1, 1)),
                    32,
                    m.initializer(new int[] {0, 0}),
                    m.initializer(new int[] {1000, 1000}),
                    m.initializer(new int[] {-2, 3}),
                    m.initializer(new int[] {2, 2})),
            64),
        model(
            "grouped convolution, max pool and concatenation",
            m -> {
              String stem = m.relu(m.conv("image", 3, 8, 3, 1, 1));
              String pooled =
                  m.node(
                      "MaxPool",
                      List.of(stem),
                      NodeProto.newBuilder()
                          .addAttribute(Nodes.ints("kernel_shape", 2, 2))
                          .addAttribute(Nodes.ints("strides", 2, 2))
                          .build());
              String a = m.relu(m.conv(pooled, 8, 8, 3, 1, 4));
              String b = m.node("Sigmoid", m.conv(pooled, 8, 8, 1, 1, 1));
              return m.node(
                  "Concat",
                  List.of(a, b),
                  NodeProto.newBuilder().addAttribute(Nodes.integer("axis", 1)).build());
            },
            16),
        model(
            "squeeze and excitation",
            m -> {
              String stem = m.relu(m.conv("image", 3, 16, 3, 1, 1));
              String mean = m.node("GlobalAveragePool", stem);
              String squeezed = m.relu(m.conv(mean, 16, 8, 1, 1, 1));
              String gate = m.node("Sigmoid", m.conv(squeezed, 8, 16, 1, 1, 1));
              return m.node("Mul", stem, gate);
            },
            16),
        model(
            "efficient channel attention",
            m -> {
              String stem = m.relu(m.conv("image", 3, 16, 3, 1, 1));
              return m.channelAttention(m.conv(stem, 16, 16, 3, 1, 1), 16);
            },
            16),
        model(
            "a matrix product of 64 bits",
            m -> {
              String stem = m.relu(m.conv("image", 3, 16, 3, 1, 1));
              String wide = m.cast(stem, TensorProto.DataType.DOUBLE);
              String weights = m.doubles(m.values(SIDE * SIDE, 0.3), SIDE, SIDE);
              String product = m.node("MatMul", wide, weights);
              return m.conv(m.cast(product, TensorProto.DataType.FLOAT), 16, 16, 1, 1, 1);
            },
            16),
        model(
            "one tensor read by layers of different widths",
            m -> {
              String stem = m.relu(m.conv("image", 3, 16, 3, 1, 1));
              String a = m.relu(m.conv(stem, 16, 16, 1, 1, 1));
              String b = m.relu(m.conv(stem, 16, 16, 3, 1, 16));
              return m.node("Add", a, b);
            },
            16),
        model(
            "matrix products on channels that were brought last",
            m -> {
              String stem = m.conv(m.relu(m.conv("image", 3, 10, 3, 1, 1)), 10, 10, 3, 1, 10);
              String wide = m.relu(m.matMul(m.transposed(stem, 0, 2, 3, 1), 10, 24));
              String branch = m.transposed(m.matMul(wide, 24, 10), 0, 3, 1, 2);
              return m.relu(m.conv(m.node("Add", stem, branch), 10, 16, 1, 1, 1));
            },
            16),
        model(
            "a matrix product on the columns of a map of as many channels",
            m -> {
              String stem = m.relu(m.conv("image", 3, SIDE, 3, 1, 1));
              String product = m.matMul(m.conv(stem, SIDE, SIDE, 1, 1, 1), SIDE, SIDE);
              return m.relu(m.conv(product, SIDE, 8, 3, 1, 1));
            },
            8),
        model(
            "matrix products on rows of pixels",
            m -> {
              String stem = m.relu(m.conv("image", 3, 10, 3, 2, 1));
              String pixels = m.node("Reshape", stem, m.initializer(0, 10, SIDE * SIDE / 4));
              String wide = m.relu(m.matMul(m.transposed(pixels, 0, 2, 1), 10, 24));
              String rows = m.transposed(m.matMul(wide, 24, 16), 0, 2, 1);
              return m.node("Reshape", rows, m.initializer(0, 16, SIDE / 2, SIDE / 2));
            },
            16));
  }

  private static String shortcut(
      SmallModel m,
      String stem,
      int channels,
      String starts,
      String ends,
      String axes,
      String steps) {
    int twice = 2 * channels;
    String wide = m.relu(m.conv(stem, channels, twice, 3, 2, 1));
    String branch = m.conv(wide, twice, twice, 3, 1, 1);
    String sliced = m.node("Slice", stem, starts, ends, axes, steps);
    int added = channels / 2;
    String padded = m.node("Pad", sliced, m.initializer(0, added, 0, 0, 0, added, 0, 0));
    return m.relu(m.node("Add", branch, padded));
  }

  private static Named<ImportedModel> model(
      String name, Function<SmallModel, String> features, int channels) {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String pooled = model.pooled(features.apply(model));
    return Named.of(name, model.imported(model.gemm(pooled, channels, CLASSES)));
  }

  /** A QDQ model of layers whose outputs have weights of very different sizes. */
  private static ImportedModel quantizedBefore() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String stem = model.relu(model.conv("image", 3, 16, 3, 1, 1));
    String branch = model.relu(model.conv(stem, 16, 16, 3, 1, 1));
    String features = model.relu(model.conv(branch, 16, 16, 1, 1, 1));
    CnnGraph graph = model.imported(model.gemm(model.pooled(features), 16, CLASSES)).graph();
    for (Quantizable layer : graph.layers()) {
      float[] weights = layer.weights();
      for (int i = 0; i < weights.length; i++) {
        int output = i / (weights.length / layer.bias().length);
        weights[i] *= (float) Math.pow(4, output % 5 - 3);
      }
    }
    Images images = new RandomImages(IMAGES, graph.inputValues(), CLASSES);
    PreparedNetwork network = prepared(graph, Recipe.HAQ, images);
    Policy policy = Policy.uniform(graph.layers().size(), LayerBits.of(8, 8));
    ModelProto quantized =
        new QdqGraph(Processor.ADDS_IN_16_BITS)
            .write(network.graph(), network.layers(policy, () -> false));
    return ModelImporter.read(quantized.toByteArray(), "sha256:again", "again");
  }

  @Test
  void theFloatScoresOfAModelThatWasQuantizedBeforeAreItsOwn() {
    CnnGraph graph = quantizedBefore().graph();
    Images images = new RandomImages(IMAGES, graph.inputValues(), CLASSES);
    ModelProto model = FloatGraph.write(graph, List.of(graph.output()));
    float[] expected = scores(model, Ort.Rewriting.NONE, graph, images);
    float largest = 0;
    for (float score : expected) {
      largest = Math.max(largest, Math.abs(score));
    }
    float[] actual = scores(model, FloatGraph.rewriting(), graph, images);
    // Sums in another order may put an activation on the neighbouring step.
    assertArrayEquals(expected, actual, 0.01f * largest);
  }

  /** QDQ is left out: ONNX Runtime quantizes float weights between the model's own QDQ. */
  @Test
  void aModelThatWasQuantizedBeforeIsEvaluatedQuantized() {
    ImportedModel model = quantizedBefore();
    Images images = new RandomImages(IMAGES, model.graph().inputValues(), CLASSES);
    PreparedNetwork network = prepared(model.graph(), Recipe.HAQ, images);
    for (Policy policy : policies(model.network().size())) {
      List<LayerForm> layers = network.layers(policy, () -> false);
      float[] expected = scores(new FakeQuantizedGraph(), network.graph(), layers, images);
      for (Processor processor : Processor.values()) {
        if (addsAs(processor)) {
          GraphWriter integer = new IntegerGraph(processor);
          float[] actual = evaluated(integer, network.graph(), layers, images);
          assertAgree(expected, actual, policy, "integer as evaluated");
        }
      }
    }
  }

  /** A processor that adds in 16 bits may saturate in the forms of those that do not. */
  private static boolean addsAs(Processor processor) {
    return processor == Processor.ADDS_IN_16_BITS
        || Processor.detect() != Processor.ADDS_IN_16_BITS;
  }

  @ParameterizedTest
  @MethodSource("models")
  void everyFormAgreesWithTheJudge(ImportedModel model) {
    CnnGraph original = model.graph();
    Images images = new RandomImages(IMAGES, original.inputValues(), CLASSES);
    Map<Recipe, PreparedNetwork> networks = new LinkedHashMap<>();
    for (String recipe : List.of("haq", "ptq", "kmeans")) {
      for (WeightScales scales : WeightScales.values()) {
        Recipe scaled = Recipe.named(recipe).withWeightScales(scales);
        networks.put(scaled, prepared(original, scaled, images));
      }
    }
    for (Policy policy : policies(model.network().size())) {
      for (PreparedNetwork network : networks.values()) {
        List<LayerForm> layers = network.layers(policy, () -> false);
        CnnGraph graph = network.graph();
        float[] expected = scores(new FakeQuantizedGraph(), graph, layers, images);
        assertAgree(
            expected, scores(new WholeSumsGraph(), graph, layers, images), policy, "whole sums");
        for (Processor processor : Processor.values()) {
          if (addsAs(processor)) {
            assertAgree(
                expected, scores(new QdqGraph(processor), graph, layers, images), policy, "QDQ");
            assertAgree(
                expected,
                scores(new IntegerGraph(processor), graph, layers, images),
                policy,
                "integer");
            assertAgree(
                expected,
                evaluated(new IntegerGraph(processor), graph, layers, images),
                policy,
                "integer as evaluated");
          }
        }
      }
    }
  }

  private static PreparedNetwork prepared(CnnGraph original, Recipe recipe, Images images) {
    Numerics numerics = Numerics.of(recipe);
    CnnGraph graph = numerics.equalised() ? EqualisedGraph.of(original) : original;
    Calibration calibration = Calibration.of(graph, images, runner, () -> false);
    return PreparedNetwork.of(graph, numerics, calibration, images, runner, () -> false);
  }

  private static List<Policy> policies(int layers) {
    List<Policy> policies = new ArrayList<>();
    policies.add(Policy.uniform(layers, LayerBits.of(8, 8)));
    policies.add(Policy.uniform(layers, new LayerBits(BitWidth.FLOAT, BitWidth.of(6))));
    policies.add(Policy.uniform(layers, new LayerBits(BitWidth.of(6), BitWidth.FLOAT)));
    for (int seed = 0; seed < 4; seed++) {
      Random random = new Random(seed);
      List<LayerBits> bits = new ArrayList<>();
      for (int k = 0; k < layers; k++) {
        bits.add(
            random.nextInt(6) == 0
                ? LayerBits.unquantized()
                : LayerBits.of(3 + random.nextInt(6), 4 + random.nextInt(5)));
      }
      policies.add(new Policy(bits));
    }
    return policies;
  }

  private static float[] scores(
      GraphWriter writer, CnnGraph graph, List<LayerForm> layers, Images images) {
    return scores(writer.write(graph, layers), writer.rewriting(), graph, images);
  }

  /** With images as codes, where the graph takes these. */
  private static float[] evaluated(
      GraphWriter writer, CnnGraph graph, List<LayerForm> layers, Images images) {
    GraphWriter.Written written = writer.forEvaluation(graph, layers);
    return scores(
        written.model(),
        written.rewriting(),
        graph,
        written.input().<Images>map(input -> new CodedImages(images, input)).orElse(images));
  }

  private static float[] scores(
      ModelProto model, Ort.Rewriting rewriting, CnnGraph graph, Images images) {
    try (OrtSession session = Ort.open(model.toByteArray(), rewriting)) {
      List<float[]> batches =
          runner.run(
              session,
              graph,
              images,
              0,
              images.size(),
              5,
              (result, first, count) -> SessionRunner.floats((OnnxTensor) result.get(0)),
              () -> false);
      float[] all = new float[images.size() * graph.classes()];
      int next = 0;
      for (float[] batch : batches) {
        System.arraycopy(batch, 0, all, next, batch.length);
        next += batch.length;
      }
      assertEquals(all.length, next);
      return all;
    } catch (OrtException e) {
      throw new AssertionError(e);
    }
  }

  private static void assertAgree(float[] expected, float[] actual, Policy policy, String form) {
    double mean = 0;
    for (float value : expected) {
      mean += value / expected.length;
    }
    double spread = 0;
    double difference = 0;
    for (int i = 0; i < expected.length; i++) {
      spread += Math.abs(expected[i] - mean) / expected.length;
      difference += Math.abs(expected[i] - actual[i]) / expected.length;
    }
    double share = difference / spread;
    assertTrue(
        share < TOLERANCE,
        () -> "%s differs by %.4f of the scores' spread under %s".formatted(form, share, policy));
  }

  @Test
  void patchesOfKernelsThatWouldTakeTooManyOperatorsAreNotGathered() {
    for (int kernel : new int[] {7, 9}) {
      SmallModel model = new SmallModel(3, 40, 40);
      String stem = model.relu(model.conv("image", 3, 4, 3, 1, 1));
      String weights =
          model.initializer(model.values(4 * 4 * kernel * kernel, 0.1), 4, 4, kernel, kernel);
      int pad = kernel - 1; // dilated
      String wide =
          model.node(
              "Conv",
              List.of(stem, weights),
              NodeProto.newBuilder()
                  .addAttribute(Nodes.ints("dilations", 2, 2))
                  .addAttribute(Nodes.ints("pads", pad, pad, pad, pad))
                  .build());
      String sum = model.node("Add", stem, wide);
      CnnGraph graph = model.imported(model.gemm(model.pooled(sum), 4, CLASSES)).graph();
      Images images = new RandomImages(2, graph.inputValues(), CLASSES);
      PreparedNetwork network = prepared(graph, Recipe.HAQ, images);
      List<LayerForm> layers = network.layers(Policy.uniform(3, LayerBits.of(8, 8)), () -> false);
      ModelProto written =
          new IntegerGraph(Processor.ADDS_EXACTLY_IN_512).write(network.graph(), layers);
      // Both convolutions write real numbers; the first one's kernel is small.
      assertEquals(kernel == 7 ? 2 : 1, nodes(written, "Concat"));
      assertEquals(kernel == 7 ? 0 : 1, nodes(written, "Conv"));
    }
  }

  /** A convolution of 16 channels. */
  private static String windowed(
      SmallModel model, String input, int height, int width, AttributeProto... attributes) {
    String weights =
        model.initializer(model.values(16 * 16 * height * width, 0.1), 16, 16, height, width);
    return model.node(
        "Conv",
        List.of(input, weights),
        NodeProto.newBuilder().addAllAttribute(List.of(attributes)).build());
  }

  private static AttributeProto pads(long... pads) {
    return Nodes.ints("pads", pads);
  }

  private static long nodes(ModelProto model, String type) {
    return model.getGraph().getNodeList().stream().filter(n -> Nodes.is(n, type)).count();
  }
}
