package dev.haq.quantizer.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.AttributeProto.AttributeType;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.quantizer.eval.FineTuner;
import dev.haq.quantizer.graphs.FloatGraph;
import dev.haq.quantizer.importing.ModelImporter;
import dev.haq.quantizer.importing.SmallModel;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Ort;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Networks on the training library against ONNX Runtime. */
final class NdGraphTest {
  private static final int SIDE = 9;
  private static final int CHANNELS = 8;
  private static final int CLASSES = 5;
  private static final int BATCH = 3;

  static Stream<Named<CnnGraph>> operators() {
    return Stream.of(
        unary("Relu"),
        unary("Sigmoid"),
        unary("Tanh"),
        unary("HardSwish", 14),
        unary("Softplus"),
        unary("Softsign"),
        unary("Abs"),
        unary("Neg"),
        unary("Exp"),
        unary("Erf"),
        unary("Identity"),
        unary("Dropout"),
        unary("Mish", 18),
        unary("Selu"),
        unary("Gelu", 20),
        with("LeakyRelu", "LeakyRelu", real("alpha", 0.2f)),
        with("Elu", "Elu", real("alpha", 0.7f)),
        with("HardSigmoid", "HardSigmoid", real("alpha", 0.3f), real("beta", 0.4f)),
        ofTheImage("Cast", Nodes.integer("to", TensorProto.DataType.FLOAT_VALUE)),
        ofTheImage("Identity"),
        ofTheImage("Dropout"),
        ofTheImage("Sum"),
        features("Log and Sqrt", (m, x) -> m.node("Log", m.node("Sqrt", m.node("Exp", x)))),
        features(
            "Clip",
            (m, x) ->
                m.node(
                    "Clip",
                    x,
                    m.initializer(new float[] {-0.3f}),
                    m.initializer(new float[] {0.4f}))),
        features(
            "PRelu",
            (m, x) -> m.node("PRelu", x, m.initializer(m.values(CHANNELS, 0.3), CHANNELS, 1, 1))),
        features("Add of two", (m, x) -> m.node("Add", x, m.conv(x, CHANNELS, CHANNELS, 1, 1, 1))),
        features(
            "Sub of a constant",
            (m, x) -> m.node("Sub", m.initializer(m.values(CHANNELS, 1), CHANNELS, 1, 1), x)),
        features(
            "Mul by a constant", (m, x) -> m.node("Mul", m.initializer(new float[] {2.5f}), x)),
        features(
            "Div of a constant",
            (m, x) -> m.node("Div", m.initializer(new float[] {2}), m.node("Exp", x))),
        features("Pow", (m, x) -> m.node("Pow", x, m.initializer(new float[] {2}))),
        features(
            "squeeze and excitation",
            (m, x) ->
                m.node(
                    "Mul",
                    x,
                    m.node(
                        "HardSigmoid",
                        m.conv(m.node("GlobalAveragePool", x), CHANNELS, CHANNELS, 1, 1, 1)))),
        features(
            "Sum, Max and Min",
            (m, x) ->
                m.node(
                    "Sum",
                    m.node("Max", x, m.node("Neg", x)),
                    m.node("Min", x, m.node("Neg", x)),
                    x)),
        features("BatchNormalization alone", (m, x) -> m.batchNorm(m.relu(x), CHANNELS)),
        features("grouped convolution", (m, x) -> m.conv(x, CHANNELS, CHANNELS, 3, 2, 4)),
        features("depthwise convolution", (m, x) -> m.conv(x, CHANNELS, CHANNELS, 3, 1, CHANNELS)),
        convolution("dilated convolution", Nodes.ints("dilations", 2, 2)),
        convolution(
            "unevenly padded convolution",
            Nodes.ints("pads", 0, 1, 2, 0),
            Nodes.ints("strides", 2, 1)),
        convolution(
            "convolution padded by itself",
            Nodes.string("auto_pad", "SAME_LOWER"),
            Nodes.ints("strides", 2, 2)),
        pool("MaxPool", "MaxPool", Nodes.ints("strides", 2, 2), Nodes.ints("pads", 1, 1, 1, 1)),
        pool(
            "MaxPool, uneven",
            "MaxPool",
            Nodes.ints("strides", 2, 2),
            Nodes.ints("pads", 0, 0, 1, 1)),
        pool(
            "MaxPool, ceiling",
            "MaxPool",
            Nodes.ints("strides", 2, 2),
            Nodes.integer("ceil_mode", 1)),
        pool(
            "MaxPool, same",
            "MaxPool",
            Nodes.ints("strides", 2, 2),
            Nodes.string("auto_pad", "SAME_UPPER")),
        pool("AveragePool", "AveragePool", Nodes.ints("pads", 1, 1, 1, 1)),
        pool(
            "AveragePool with padding",
            "AveragePool",
            Nodes.ints("pads", 1, 1, 1, 1),
            Nodes.integer("count_include_pad", 1)),
        pool(
            "AveragePool, uneven",
            "AveragePool",
            Nodes.ints("strides", 2, 2),
            Nodes.ints("pads", 0, 1, 1, 0)),
        pool(
            "AveragePool, uneven with padding",
            "AveragePool",
            Nodes.ints("pads", 0, 1, 1, 0),
            Nodes.integer("count_include_pad", 1)),
        graph("GlobalMaxPool", 13, m -> m.node("Flatten", m.node("GlobalMaxPool", stem(m)))),
        graph(
            "ReduceMean",
            13,
            m ->
                m.node(
                    "ReduceMean",
                    List.of(stem(m)),
                    attributes(Nodes.ints("axes", 2, 3), Nodes.integer("keepdims", 0)))),
        graph(
            "ReduceMean by input",
            18,
            m ->
                m.node(
                    "ReduceMean",
                    List.of(stem(m), m.initializer(-1, -2)),
                    attributes(Nodes.integer("keepdims", 0)))),
        graph(
            "ReduceSum",
            13,
            m ->
                m.node(
                    "ReduceSum",
                    List.of(stem(m), m.initializer(2, 3)),
                    attributes(Nodes.integer("keepdims", 0)))),
        graph(
            "ReduceMax",
            13,
            m ->
                m.node(
                    "ReduceMax",
                    List.of(stem(m)),
                    attributes(Nodes.ints("axes", 2, 3), Nodes.integer("keepdims", 0)))),
        ofNoAxes("ReduceMean", 18),
        ofNoAxes("ReduceSum", 13),
        ofNoAxes("ReduceMax", 18),
        graph(
            "Reshape",
            13,
            m -> m.node("Reshape", m.node("GlobalAveragePool", stem(m)), m.initializer(0, -1))),
        graph("Reshape by a computed shape", 13, NdGraphTest::reshapedByComputation),
        graph(
            "Squeeze and Unsqueeze",
            13,
            m ->
                m.node(
                    "Squeeze",
                    m.node("Unsqueeze", m.pooled(stem(m)), m.initializer(1, 3)),
                    m.initializer(1, 3))),
        graph(
            "Softmax",
            13,
            m ->
                m.node(
                    "Softmax", List.of(m.pooled(stem(m))), attributes(Nodes.integer("axis", 1)))),
        graph(
            "LogSoftmax",
            13,
            m ->
                m.node(
                    "LogSoftmax",
                    List.of(m.pooled(stem(m))),
                    attributes(Nodes.integer("axis", -1)))),
        graph(
            "MatMul and Add",
            13,
            m ->
                m.node(
                    "Add",
                    m.node(
                        "MatMul",
                        m.pooled(stem(m)),
                        m.initializer(m.values(CHANNELS * CHANNELS, 0.5), CHANNELS, CHANNELS)),
                    m.initializer(m.values(CHANNELS, 1), CHANNELS))),
        features(
            "channel shuffle",
            (m, x) ->
                m.node(
                    "Reshape",
                    m.node(
                        "Transpose",
                        List.of(m.node("Reshape", x, m.initializer(0, 2, 4, SIDE, SIDE))),
                        attributes(Nodes.ints("perm", 0, 2, 1, 3, 4))),
                    m.initializer(0, CHANNELS, SIDE, SIDE))),
        features(
            "Concat",
            (m, x) ->
                m.node(
                    "Slice",
                    m.node("Concat", List.of(x, m.relu(x)), attributes(Nodes.integer("axis", 1))),
                    m.initializer(4),
                    m.initializer(12),
                    m.initializer(1))),
        features(
            "Slice and Pad",
            (m, x) ->
                m.node(
                    "Pad",
                    m.node(
                        "Slice",
                        x,
                        m.initializer(0, 1),
                        m.initializer(1000, -1),
                        m.initializer(2, 3),
                        m.initializer(2, 1)),
                    m.initializer(0, 0, 1, 0, 0, 0, 2, 3),
                    m.initializer(new float[] {0.5f}))),
        features("Split", NdGraphTest::split),
        features(
            "Gather of channels",
            (m, x) ->
                m.node(
                    "Gather",
                    List.of(x, m.initializer(7, 1, 2, 3, -2, 0, 0, 4)),
                    attributes(Nodes.integer("axis", 1)))),
        features(
            "Gather of one row",
            (m, x) ->
                m.node(
                    "Unsqueeze",
                    m.node(
                        "Gather",
                        List.of(x, m.wholeNumber(-3)),
                        attributes(Nodes.integer("axis", 2))),
                    m.initializer(2))),
        features(
            "DepthToSpace and back",
            (m, x) ->
                m.node(
                    "SpaceToDepth",
                    List.of(
                        m.node(
                            "Pad",
                            m.node("DepthToSpace", List.of(x), attributes(block())),
                            m.initializer(0, 0, 0, 1, 0, 0, 0, -1))),
                    attributes(block()))),
        features(
            "DepthToSpace, column by column",
            (m, x) ->
                m.node(
                    "Concat",
                    List.of(
                        m.node(
                            "DepthToSpace",
                            List.of(x),
                            attributes(block(), Nodes.string("mode", "CRD"))),
                        m.node(
                            "Tile",
                            m.node("DepthToSpace", List.of(x), attributes(block())),
                            m.initializer(1, 3, 1, 1))),
                    attributes(Nodes.integer("axis", 1)))),
        features(
            "Expand",
            (m, x) ->
                m.node(
                    "Mul",
                    x,
                    m.node(
                        "Expand", m.node("GlobalMaxPool", x), m.initializer(CHANNELS, 1, SIDE)))),
        features(
            "attention",
            (m, x) -> {
              String rows = m.node("Reshape", x, m.initializer(0, CHANNELS, SIDE * SIDE));
              String columns = m.transposed(rows, 0, 2, 1);
              String shares = m.node("Softmax", m.node("MatMul", rows, columns));
              return m.node(
                  "Reshape",
                  m.node("MatMul", shares, rows),
                  m.initializer(0, CHANNELS, SIDE, SIDE));
            }),
        features(
            "MatMul of a constant from the left",
            (m, x) -> m.node("MatMul", m.initializer(m.values(SIDE * SIDE, 0.3), SIDE, SIDE), x)),
        features(
            "Div by the root of a size",
            (m, x) -> {
              String size = m.node("Gather", m.node("Shape", x), m.wholeNumber(1));
              return m.node("Div", x, m.node("Sqrt", m.cast(size, TensorProto.DataType.FLOAT)));
            }),
        features(
            "Mul by a quotient of sizes",
            (m, x) -> {
              String sizes = m.node("Shape", x);
              String channels = m.node("Gather", sizes, m.wholeNumber(1));
              String height = m.node("Gather", sizes, m.wholeNumber(2));
              return m.node(
                  "Mul",
                  x,
                  m.node(
                      "Div",
                      m.cast(channels, TensorProto.DataType.FLOAT),
                      m.cast(height, TensorProto.DataType.FLOAT)));
            }),
        features("Pow of a whole number", (m, x) -> m.node("Pow", x, m.wholeNumber(2))),
        graph(
            "LayerNormalization",
            17,
            m ->
                m.pooled(
                    m.transposed(
                        m.node(
                            "LayerNormalization",
                            m.transposed(stem(m), 0, 2, 3, 1),
                            m.initializer(m.values(CHANNELS, 1), CHANNELS),
                            m.initializer(m.values(CHANNELS, 1), CHANNELS)),
                        0,
                        3,
                        1,
                        2))),
        graph(
            "LayerNormalization of several dimensions without a shift",
            17,
            m ->
                m.pooled(
                    m.node(
                        "LayerNormalization",
                        List.of(stem(m), m.initializer(m.values(SIDE * SIDE, 1), 1, SIDE, SIDE)),
                        attributes(Nodes.integer("axis", 1), real("epsilon", 1e-2f))))),
        graph(
            "InstanceNormalization",
            13,
            m ->
                m.pooled(
                    m.relu(
                        m.node(
                            "InstanceNormalization",
                            stem(m),
                            m.initializer(m.values(CHANNELS, 1), CHANNELS),
                            m.initializer(m.values(CHANNELS, 1), CHANNELS))))),
        groupNorm(18, 4),
        groupNorm(21, CHANNELS),
        with(
            "LRN",
            "LRN",
            Nodes.integer("size", 5),
            real("alpha", 0.5f),
            real("beta", 0.6f),
            real("bias", 1.5f)));
  }

  private static AttributeProto block() {
    return Nodes.integer("blocksize", 2);
  }

  /**
   * @param scales one for each group, as in set 18, or for each channel
   */
  private static Named<CnnGraph> groupNorm(int opset, int scales) {
    return graph(
        "GroupNormalization of set " + opset,
        opset,
        m ->
            m.pooled(
                m.relu(
                    m.node(
                        "GroupNormalization",
                        List.of(
                            stem(m),
                            m.initializer(m.values(scales, 1), scales),
                            m.initializer(m.values(scales, 1), scales)),
                        attributes(Nodes.integer("num_groups", 4))))));
  }

  private static String reshapedByComputation(SmallModel m) {
    String pooled = m.node("GlobalAveragePool", stem(m));
    String batch = m.node("Gather", m.node("Shape", pooled), m.initializer(0));
    String shape =
        m.node("Concat", List.of(batch, m.initializer(-1)), attributes(Nodes.integer("axis", 0)));
    return m.node("Reshape", pooled, shape);
  }

  private static String split(SmallModel m, String x) {
    m.graph()
        .addNode(
            NodeProto.newBuilder()
                .setOpType("Split")
                .setName("split")
                .addInput(x)
                .addOutput("front")
                .addOutput("back")
                .addAttribute(Nodes.integer("axis", 1)));
    return m.node("Concat", List.of("back", "front"), attributes(Nodes.integer("axis", 1)));
  }

  private interface Features {
    String of(SmallModel model, String input);
  }

  private static Named<CnnGraph> unary(String type) {
    return unary(type, 13);
  }

  private static Named<CnnGraph> unary(String type, int opset) {
    return graph(type, opset, m -> m.pooled(m.node(type, stem(m))));
  }

  private static Named<CnnGraph> with(String name, String type, AttributeProto... attributes) {
    return features(name, (m, x) -> m.node(type, List.of(x), attributes(attributes)));
  }

  /** Operators that answer the very array they are given, of the one that the caller owns. */
  private static Named<CnnGraph> ofTheImage(String type, AttributeProto... attributes) {
    return graph(
        type + " of the image",
        13,
        m -> {
          String image = m.node(type, List.of("image"), attributes(attributes));
          return m.pooled(m.conv(image, 3, CHANNELS, 3, 1, 1));
        });
  }

  private static Named<CnnGraph> pool(String name, String type, AttributeProto... attributes) {
    NodeProto.Builder node = NodeProto.newBuilder().addAllAttribute(List.of(attributes));
    return features(
        name,
        (m, x) ->
            m.node(type, List.of(x), node.addAttribute(Nodes.ints("kernel_shape", 3, 3)).build()));
  }

  private static Named<CnnGraph> convolution(String name, AttributeProto... attributes) {
    return features(
        name,
        (m, x) ->
            m.node(
                "Conv",
                List.of(
                    x,
                    m.initializer(
                        m.values(CHANNELS * CHANNELS * 9, 0.2), CHANNELS, CHANNELS, 3, 3)),
                attributes(attributes)));
  }

  private static Named<CnnGraph> features(String name, Features features) {
    return graph(name, 13, m -> m.pooled(features.of(m, stem(m))));
  }

  private static Named<CnnGraph> graph(
      String name, int opset, Function<SmallModel, String> pooled) {
    SmallModel model = new SmallModel(3, SIDE, SIDE).opset(opset);
    return Named.of(
        name, model.imported(model.gemm(pooled.apply(model), CHANNELS, CLASSES)).graph());
  }

  private static String stem(SmallModel model) {
    return model.conv("image", 3, CHANNELS, 3, 1, 1);
  }

  private static NodeProto attributes(AttributeProto... attributes) {
    return NodeProto.newBuilder().addAllAttribute(List.of(attributes)).build();
  }

  private static AttributeProto real(String name, float value) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeType.FLOAT)
        .setF(value)
        .build();
  }

  @ParameterizedTest
  @MethodSource("operators")
  void everyOperatorComputesWhatOnnxRuntimeDoes(CnnGraph graph) throws OrtException {
    NdUses.check(graph);
    assertEquals(0, largestDifference(graph), 1e-4);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cifar10/resnet20.onnx",
        "imagenet/mobilenetv1_0.75_224.onnx",
        "imagenet/mobilenetv2_1.0_224.onnx"
      })
  void realNetworksComputeWhatTheyDoInOnnxRuntime(String file) throws IOException, OrtException {
    Path model = Path.of(System.getProperty("haq.shared", "absent"), "data").resolve(file);
    assumeTrue(Files.exists(model), "shared models are not here");
    assertEquals(
        0,
        largestDifference(ModelImporter.read(Files.readAllBytes(model), "id", "m").graph()),
        1e-3);
  }

  @Test
  void anotherOperatorIsRefusedByNameAndNode() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    String odd =
        model.node(
            "ThresholdedRelu",
            List.of(stem(model)),
            NodeProto.newBuilder().setName("/odd/one").build());
    CnnGraph graph = model.imported(model.gemm(model.pooled(odd), CHANNELS, CLASSES)).graph();
    HaqException refused = assertThrows(HaqException.class, () -> NdGraph.of(graph));
    assertEquals(Reason.UNSUPPORTED_OPERATOR, refused.reason());
    assertTrue(refused.getMessage().contains("ThresholdedRelu"), refused.getMessage());
    assertTrue(refused.getMessage().contains("/odd/one"), refused.getMessage());
  }

  static Stream<Named<CnnGraph>> uses() {
    return Stream.of(
        pool("MaxPool with dilations", "MaxPool", Nodes.ints("dilations", 2, 2)),
        features(
            "Pad in mode reflect",
            (m, x) ->
                m.node(
                    "Pad",
                    List.of(x, m.initializer(0, 0, 1, 1, 0, 0, 1, 1)),
                    attributes(Nodes.string("mode", "reflect")))),
        features(
            "Slice backwards",
            (m, x) ->
                m.node(
                    "Slice",
                    x,
                    m.initializer(-1),
                    m.initializer(-100),
                    m.initializer(3),
                    m.initializer(-1))),
        features(
            "Cast of real numbers to whole ones",
            (m, x) -> m.cast(m.cast(x, TensorProto.DataType.INT32), TensorProto.DataType.FLOAT)),
        features(
            "Max of whole numbers",
            (m, x) -> {
              String size = m.node("Gather", m.node("Shape", x), m.wholeNumber(1));
              String most = m.node("Max", size, m.wholeNumber(2));
              return m.node("Mul", x, m.cast(most, TensorProto.DataType.FLOAT));
            }),
        features(
            "Clip where input 2 is no constant",
            (m, x) -> m.node("Clip", x, "", m.node("ReduceMax", List.of(x), scalar()))));
  }

  /** Which is told to take a sum over none, rather than over all. */
  private static Named<CnnGraph> ofNoAxes(String type, int opset) {
    return graph(
        type + " of no axes",
        opset,
        m ->
            m.pooled(
                m.node(
                    type, List.of(stem(m)), attributes(Nodes.integer("noop_with_empty_axes", 1)))));
  }

  private static NodeProto scalar() {
    return attributes(Nodes.integer("keepdims", 0));
  }

  @ParameterizedTest
  @MethodSource("uses")
  void aUseThatCannotBeTrainedIsRefusedBeforeAnythingIs(CnnGraph graph) {
    FineTuner tuner = new StraightThroughTuner(1);
    HaqException refused = assertThrows(HaqException.class, () -> tuner.check(graph));
    assertEquals(Reason.UNSUPPORTED_OPERATOR, refused.reason());
    assertTrue(refused.getMessage().contains("cannot be fine-tuned"), refused.getMessage());
    assertThrows(
        HaqException.class, () -> largestDifference(graph), "else the check is too strict");
  }

  private static double largestDifference(CnnGraph graph) throws OrtException {
    float[] images = new float[BATCH * graph.inputValues()];
    Random random = new Random(1);
    for (int i = 0; i < images.length; i++) {
      images[i] = (float) random.nextGaussian();
    }
    List<Integer> shape = graph.inputShape();
    long[] dims = {BATCH, shape.get(0), shape.get(1), shape.get(2)};
    float[] expected = onnxRuntime(graph, images, dims);
    double largest = 0;
    try (NDManager manager = TrainingEngine.newManager(1)) {
      NDArray input = manager.create(images, new Shape(dims));
      float[] actual =
          NdGraph.of(graph)
              .run(
                  input,
                  (k, layer, x) ->
                      FloatLayer.apply(
                          layer,
                          x,
                          manager.create(layer.weights(), FloatLayer.shape(layer)),
                          manager.create(layer.bias())))
              .toFloatArray();
      assertEquals(expected.length, actual.length);
      assertArrayEquals(images, input.toFloatArray(), "the caller's images stay as they are");
      for (int i = 0; i < actual.length; i++) {
        largest = Math.max(largest, Math.abs(actual[i] - expected[i]));
      }
    }
    return largest;
  }

  private static float[] onnxRuntime(CnnGraph graph, float[] images, long[] dims)
      throws OrtException {
    byte[] model = FloatGraph.write(graph, List.of(graph.output())).toByteArray();
    try (OrtSession session = Ort.open(model, FloatGraph.rewriting());
        OnnxTensor input =
            OnnxTensor.createTensor(Ort.environment(), FloatBuffer.wrap(images), dims);
        OrtSession.Result result = session.run(Map.of(graph.input(), input))) {
      FloatBuffer scores = ((OnnxTensor) result.get(0)).getFloatBuffer();
      float[] values = new float[scores.remaining()];
      scores.get(values);
      return values;
    }
  }
}
