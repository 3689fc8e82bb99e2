package dev.haq.quantizer.train;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.haq.quantizer.builtin.BuiltinShapes;
import dev.haq.quantizer.train.ShapesNetwork.Convolution;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Iterator;
import java.util.List;

/**
 * Writes the trained {@link ShapesNetwork} as an ONNX model: opset 13, dynamic batch, {@code input}
 * [N, 3, 32, 32], {@code logits} [N, 10]. Batch-norms stay nodes of their own, as a user's model
 * has them.
 */
final class ShapesOnnx {
  private static final int OPSET = 13;

  /** The IR version that goes with opset 13. */
  private static final int IR_VERSION = 7;

  private final GraphProto.Builder graph = GraphProto.newBuilder().setName("shapes");

  private ShapesOnnx() {}

  /**
   * @param parameters in the order that {@link ShapesNetwork#build} states, row-major
   */
  static ModelProto write(List<float[]> parameters) {
    return new ShapesOnnx().model(parameters.iterator());
  }

  private ModelProto model(Iterator<float[]> parameters) {
    graph.addInput(value("input", BuiltinShapes.CHANNELS, BuiltinShapes.SIDE, BuiltinShapes.SIDE));
    String tensor = "input";
    for (Convolution convolution : ShapesNetwork.convolutions()) {
      tensor = convolution(convolution, tensor, parameters);
    }
    node("/pool/GlobalAveragePool", "GlobalAveragePool", "/pool/out", tensor);
    node("/flatten/Flatten", "Flatten", "/flatten/out", "/pool/out")
        .addAttribute(integer("axis", 1));
    initializer(
        "classifier.weight", parameters.next(), BuiltinShapes.CLASSES, ShapesNetwork.features());
    initializer("classifier.bias", parameters.next(), BuiltinShapes.CLASSES);
    node(
            "/classifier/Gemm",
            "Gemm",
            "logits",
            "/flatten/out",
            "classifier.weight",
            "classifier.bias")
        .addAttribute(integer("transB", 1));
    graph.addOutput(value("logits", BuiltinShapes.CLASSES));
    return ModelProto.newBuilder()
        .setIrVersion(IR_VERSION)
        .setProducerName("haq")
        .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(OPSET))
        .setGraph(graph)
        .build();
  }

  private String convolution(Convolution layer, String input, Iterator<float[]> parameters) {
    String path = layer.path();
    String prefix = path.substring(1).replace('/', '.');
    int kernel = layer.kernel();
    int padding = layer.padding();
    initializer(
        prefix + ".weight",
        parameters.next(),
        layer.outputs(),
        layer.inputs() / layer.groups(),
        kernel,
        kernel);
    node(path + "/Conv", "Conv", path + "/conv", input, prefix + ".weight")
        .addAttribute(integers("kernel_shape", kernel, kernel))
        .addAttribute(integers("strides", layer.stride(), layer.stride()))
        .addAttribute(integers("pads", padding, padding, padding, padding))
        .addAttribute(integer("group", layer.groups()));
    for (String name : List.of("gamma", "beta", "mean", "var")) {
      initializer(prefix + ".bn." + name, parameters.next(), layer.outputs());
    }
    node(
            path + "/BatchNormalization",
            "BatchNormalization",
            path + "/bn",
            path + "/conv",
            prefix + ".bn.gamma",
            prefix + ".bn.beta",
            prefix + ".bn.mean",
            prefix + ".bn.var")
        .addAttribute(
            AttributeProto.newBuilder()
                .setName("epsilon")
                .setType(AttributeProto.AttributeType.FLOAT)
                .setF(ShapesNetwork.BATCH_NORM_EPSILON));
    node(path + "/Relu", "Relu", path + "/out", path + "/bn");
    return path + "/out";
  }

  private NodeProto.Builder node(String name, String type, String output, String... inputs) {
    return graph
        .addNodeBuilder()
        .setName(name)
        .setOpType(type)
        .addAllInput(List.of(inputs))
        .addOutput(output);
  }

  /** A float tensor, row-major. */
  private void initializer(String name, float[] values, long... dimensions) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    TensorProto.Builder tensor =
        graph
            .addInitializerBuilder()
            .setName(name)
            .setDataType(TensorProto.DataType.FLOAT.getNumber())
            .setRawData(com.google.protobuf.ByteString.copyFrom(bytes));
    long elements = 1;
    for (long dimension : dimensions) {
      tensor.addDims(dimension);
      elements *= dimension;
    }
    if (elements != values.length) {
      throw new IllegalArgumentException(
          name + " has " + values.length + " values, its shape holds " + elements);
    }
  }

  private static AttributeProto integer(String name, long value) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeProto.AttributeType.INT)
        .setI(value)
        .build();
  }

  private static AttributeProto integers(String name, long... values) {
    AttributeProto.Builder attribute =
        AttributeProto.newBuilder().setName(name).setType(AttributeProto.AttributeType.INTS);
    for (long value : values) {
      attribute.addInts(value);
    }
    return attribute.build();
  }

  /** A float graph input or output: a free batch dimension, then the given ones. */
  private static ValueInfoProto value(String name, long... dimensions) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    shape.addDimBuilder().setDimParam("batch");
    for (long dimension : dimensions) {
      shape.addDimBuilder().setDimValue(dimension);
    }
    return ValueInfoProto.newBuilder()
        .setName(name)
        .setType(
            TypeProto.newBuilder()
                .setTensorType(
                    TypeProto.Tensor.newBuilder()
                        .setElemType(TensorProto.DataType.FLOAT.getNumber())
                        .setShape(shape)))
        .build();
  }
}
