package dev.haq.cli;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;

/** Writes small ONNX classifiers, node by node, with seeded random weights. */
final class OnnxNets {
  private final GraphProto.Builder graph = GraphProto.newBuilder().setName("net");
  private final Random random = new Random(3);
  private int next;

  /** A network of images of these sizes, named {@code image}; 0 leaves one open. */
  OnnxNets(int channels, int height, int width) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    shape.addDimBuilder().setDimParam("batch");
    for (int size : new int[] {channels, height, width}) {
      if (size == 0) {
        shape.addDimBuilder().setDimParam("size" + shape.getDimCount());
      } else {
        shape.addDimBuilder().setDimValue(size);
      }
    }
    graph
        .addInputBuilder()
        .setName("image")
        .setType(
            TypeProto.newBuilder()
                .setTensorType(
                    TypeProto.Tensor.newBuilder()
                        .setElemType(TensorProto.DataType.FLOAT.getNumber())
                        .setShape(shape)));
  }

  /** The attributes of a convolution: {@code ints("pads", 1, 1, 1, 1)}. */
  static AttributeProto ints(String name, long... values) {
    AttributeProto.Builder attribute =
        AttributeProto.newBuilder().setName(name).setType(AttributeProto.AttributeType.INTS);
    Arrays.stream(values).forEach(attribute::addInts);
    return attribute.build();
  }

  static AttributeProto integer(String name, long value) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeProto.AttributeType.INT)
        .setI(value)
        .build();
  }

  /**
   * A convolution.
   *
   * @param dims of its weights: outputs, inputs of a group, kernel
   */
  String conv(String name, String input, int[] dims, AttributeProto... attributes) {
    return node(name, "Conv", new String[] {input, weights(dims)}, attributes);
  }

  String relu(String input) {
    return node("relu" + next, "Relu", new String[] {input});
  }

  String add(String left, String right) {
    return node("add" + next, "Add", new String[] {left, right});
  }

  String reshape(String input, long... shape) {
    String name = "shape" + next++;
    TensorProto.Builder tensor =
        TensorProto.newBuilder()
            .setName(name)
            .setDataType(TensorProto.DataType.INT64.getNumber())
            .addDims(shape.length);
    Arrays.stream(shape).forEach(tensor::addInt64Data);
    graph.addInitializer(tensor);
    return node("reshape" + next, "Reshape", new String[] {input, name});
  }

  /** Means over the image, and a fully connected layer. */
  String classifier(String input, int channels, int classes) {
    String pooled = node("pool", "GlobalAveragePool", new String[] {input});
    String flat = node("flat", "Flatten", new String[] {pooled});
    return node("fc", "Gemm", new String[] {flat, weights(channels, classes)});
  }

  /** The network whose scores are {@code output}, as a file. */
  Path write(Path file, String output) throws IOException {
    ModelProto model =
        ModelProto.newBuilder()
            .setIrVersion(7)
            .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(13))
            .setGraph(graph.addOutput(ValueInfoProto.newBuilder().setName(output)))
            .build();
    return Files.write(file, model.toByteArray());
  }

  private String node(String name, String type, String[] inputs, AttributeProto... attributes) {
    String output = "t" + next++;
    graph.addNode(
        NodeProto.newBuilder()
            .setName(name)
            .setOpType(type)
            .addAllInput(Arrays.asList(inputs))
            .addAllAttribute(Arrays.asList(attributes))
            .addOutput(output));
    return output;
  }

  private String weights(int... dims) {
    String name = "w" + next++;
    TensorProto.Builder tensor =
        TensorProto.newBuilder().setName(name).setDataType(TensorProto.DataType.FLOAT.getNumber());
    int count = 1;
    for (int dim : dims) {
      tensor.addDims(dim);
      count *= dim;
    }
    for (int i = 0; i < count; i++) {
      tensor.addFloatData((float) (0.1 * random.nextGaussian()));
    }
    graph.addInitializer(tensor);
    return name;
  }
}
