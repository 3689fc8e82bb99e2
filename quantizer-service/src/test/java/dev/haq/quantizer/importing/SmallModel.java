package dev.haq.quantizer.importing;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.haq.quantizer.onnx.ImportedModel;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Tensors;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Builds small ONNX models for tests, with seeded random weights. */
public final class SmallModel {
  private final GraphProto.Builder graph = GraphProto.newBuilder().setName("small");
  private final Random random = new Random(7);
  private int opset = 13;
  private int next;

  /** A model whose input {@code image} has a free batch and the given sizes. */
  public SmallModel(long channels, long height, long width) {
    this(0, channels, height, width);
  }

  /**
   * @param batch fixed size of the batch, or 0 for a free one
   */
  public SmallModel(long batch, long channels, long height, long width) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    if (batch == 0) {
      shape.addDimBuilder().setDimParam("batch");
    } else {
      shape.addDimBuilder().setDimValue(batch);
    }
    for (long size : new long[] {channels, height, width}) {
      shape.addDimBuilder().setDimValue(size);
    }
    graph.addInput(
        ValueInfoProto.newBuilder()
            .setName("image")
            .setType(
                TypeProto.newBuilder()
                    .setTensorType(
                        TypeProto.Tensor.newBuilder()
                            .setElemType(TensorProto.DataType.FLOAT.getNumber())
                            .setShape(shape))));
  }

  public SmallModel opset(int version) {
    opset = version;
    return this;
  }

  public GraphProto.Builder graph() {
    return graph;
  }

  /** Adds a node with one output and returns the output's name. */
  public String node(String type, List<String> inputs, NodeProto attributes) {
    String output = "t" + next++;
    graph.addNode(
        attributes.toBuilder()
            .setOpType(type)
            .setName(attributes.getName().isEmpty() ? type + "_" + output : attributes.getName())
            .addAllInput(inputs)
            .addOutput(output));
    return output;
  }

  public String node(String type, String... inputs) {
    return node(type, List.of(inputs), NodeProto.getDefaultInstance());
  }

  public String initializer(float[] values, int... dims) {
    String name = "c" + next++;
    graph.addInitializer(Tensors.of(name, values, dims));
    return name;
  }

  public String initializer(long... values) {
    String name = "c" + next++;
    graph.addInitializer(Tensors.of(name, values, values.length));
    return name;
  }

  public String scalar(float value) {
    return initializer(new float[] {value});
  }

  /** Of no dimensions. */
  public String graphScalar(float value) {
    return initializer(new float[] {value}, new int[0]);
  }

  /** Of no dimensions. */
  public String wholeNumber(long value) {
    String name = "c" + next++;
    graph.addInitializer(Tensors.of(name, new long[] {value}));
    return name;
  }

  /** Of 32 bits. */
  public String initializer(int[] values) {
    String name = "c" + next++;
    graph.addInitializer(Tensors.of(name, values, values.length));
    return name;
  }

  /** Of 64 bits. */
  public String doubles(float[] values, int... dims) {
    String name = "c" + next++;
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Double.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      bytes.putDouble(value);
    }
    graph.addInitializer(Tensors.of(name, TensorProto.DataType.DOUBLE, bytes.flip(), dims));
    return name;
  }

  /** Normally distributed values of about {@code scale}. */
  public float[] values(int count, double scale) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) (random.nextGaussian() * scale);
    }
    return values;
  }

  /** A square convolution with a bias. */
  public String conv(String input, int in, int out, int kernel, int stride, int groups) {
    int fanIn = in / groups * kernel * kernel;
    String weights =
        initializer(values(out * fanIn, Math.sqrt(2.0 / fanIn)), out, in / groups, kernel, kernel);
    String bias = initializer(values(out, 0.1), out);
    return node("Conv", List.of(input, weights, bias), window(kernel, stride, groups));
  }

  /** The same with every other output's weights all zeros, as pruning leaves them. */
  public String prunedConv(String input, int in, int out, int kernel) {
    int fanIn = in * kernel * kernel;
    float[] weights = values(out * fanIn, Math.sqrt(2.0 / fanIn));
    for (int o = 0; o < out; o += 2) {
      Arrays.fill(weights, o * fanIn, (o + 1) * fanIn, 0);
    }
    return node(
        "Conv",
        List.of(
            input, initializer(weights, out, in, kernel, kernel), initializer(values(out, 1), out)),
        window(kernel, 1, 1));
  }

  /** The attributes of a square convolution that keeps the size at stride 1. */
  public static NodeProto window(int kernel, int stride, int groups) {
    int pad = kernel / 2;
    return NodeProto.newBuilder()
        .addAttribute(Nodes.ints("kernel_shape", kernel, kernel))
        .addAttribute(Nodes.ints("strides", stride, stride))
        .addAttribute(Nodes.ints("pads", pad, pad, pad, pad))
        .addAttribute(Nodes.integer("group", groups))
        .build();
  }

  public String batchNorm(String input, int channels) {
    float[] variance = values(channels, 0.2);
    float[] scale = values(channels, 0.2);
    for (int c = 0; c < channels; c++) {
      variance[c] = 1 + Math.abs(variance[c]);
      scale[c] += 1;
    }
    return node(
        "BatchNormalization",
        input,
        initializer(scale, channels),
        initializer(values(channels, 0.1), channels),
        initializer(values(channels, 0.1), channels),
        initializer(variance, channels));
  }

  /**
   * @param type of the result, a {@code TensorProto.DataType}
   */
  public String cast(String input, TensorProto.DataType type) {
    return node(
        "Cast",
        List.of(input),
        NodeProto.newBuilder().addAttribute(Nodes.integer("to", type.getNumber())).build());
  }

  public String relu(String input) {
    return node("Relu", input);
  }

  public String relu6(String input) {
    return node("Clip", input, initializer(new float[] {0}), initializer(new float[] {6}));
  }

  /** Means over the image, as [batch, channels]. */
  public String pooled(String input) {
    return node("Flatten", node("GlobalAveragePool", input));
  }

  /** A fully connected layer whose weights lie [outputs][inputs]. */
  public String gemm(String input, int in, int out) {
    String weights = initializer(values(in * out, Math.sqrt(2.0 / in)), out, in);
    String bias = initializer(values(out, 0.1), out);
    return node(
        "Gemm",
        List.of(input, weights, bias),
        NodeProto.newBuilder().addAttribute(Nodes.integer("transB", 1)).build());
  }

  /** The same for the last dimension of any tensor, in the two operators that exporters write. */
  public String matMul(String input, int in, int out) {
    String weights = initializer(values(in * out, Math.sqrt(2.0 / in)), in, out);
    return node("Add", node("MatMul", input, weights), initializer(values(out, 0.1), out));
  }

  /** Efficient channel attention (Wang et al. 2020): a convolution over the channels' means. */
  public String channelAttention(String input, int channels) {
    String means = node("GlobalAveragePool", input);
    String row = node("Reshape", means, initializer(0, 1, channels));
    String mixed =
        node(
            "Conv",
            List.of(row, initializer(values(3, 0.5), 1, 1, 3)),
            NodeProto.newBuilder()
                .addAttribute(Nodes.ints("kernel_shape", 3))
                .addAttribute(Nodes.ints("pads", 1, 1))
                .build());
    String gate = node("Reshape", node("Sigmoid", mixed), initializer(0, channels, 1, 1));
    return node("Mul", input, gate);
  }

  public String transposed(String input, long... order) {
    return node(
        "Transpose",
        List.of(input),
        NodeProto.newBuilder().addAttribute(Nodes.ints("perm", order)).build());
  }

  public ModelProto model(String output) {
    graph.clearOutput().addOutput(ValueInfoProto.newBuilder().setName(output));
    return ModelProto.newBuilder()
        .setIrVersion(7)
        .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(opset))
        .setGraph(graph)
        .build();
  }

  public byte[] bytes(String output) {
    return model(output).toByteArray();
  }

  public ImportedModel imported(String output) {
    return ModelImporter.read(bytes(output), "sha256:test", "test");
  }
}
