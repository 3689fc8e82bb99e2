package dev.haq.quantizer.mutation;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.AttributeProto.AttributeType;
import ai.onnx.proto.OnnxMl.FunctionProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.ByteString;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Tensors;
import java.util.List;
import java.util.Random;

/** Damage to what an ONNX file says, which leaves it a readable protobuf message. */
final class ModelDamage {
  private static final List<String> OPERATORS =
      List.of(
          "Conv",
          "ConvTranspose",
          "MaxPool",
          "AveragePool",
          "LpPool",
          "GlobalAveragePool",
          "Gemm",
          "MatMul",
          "Reshape",
          "Transpose",
          "Expand",
          "Tile",
          "ConstantOfShape",
          "Range",
          "Pad",
          "Slice",
          "Split",
          "Concat",
          "Gather",
          "GatherND",
          "GatherElements",
          "ScatterElements",
          "ScatterND",
          "Resize",
          "Upsample",
          "OneHot",
          "EyeLike",
          "Flatten",
          "Squeeze",
          "Unsqueeze",
          "DepthToSpace",
          "SpaceToDepth",
          "BatchNormalization",
          "InstanceNormalization",
          "LayerNormalization",
          "GroupNormalization",
          "LRN",
          "Softmax",
          "TopK",
          "NonZero",
          "Loop",
          "Scan",
          "If",
          "Cast",
          "Shape",
          "Size",
          "ReduceSum",
          "ReduceMean",
          "ArgMax",
          "CumSum",
          "Einsum",
          "RoiAlign",
          "GridSample",
          "MaxUnpool",
          "MaxRoiPool",
          "Col2Im",
          "Unique",
          "NonMaxSuppression",
          "QuantizeLinear",
          "DequantizeLinear",
          "DynamicQuantizeLinear",
          "QLinearConv",
          "ConvInteger",
          "LSTM",
          "RNN",
          "GRU",
          "DFT",
          "STFT",
          "MelWeightMatrix",
          "HannWindow",
          "StringNormalizer",
          "TfIdfVectorizer",
          "SequenceEmpty",
          "SequenceAt",
          "SplitToSequence",
          "ConcatFromSequence",
          "Optional",
          "RandomNormal",
          "RandomUniformLike",
          "Multinomial",
          "Bernoulli",
          "Dropout",
          "Identity",
          "Constant",
          "Mod",
          "BitShift",
          "Trilu",
          "ReverseSequence",
          "Compress",
          "CenterCropPad",
          "AffineGrid",
          "Attention",
          "Swish");
  private static final List<String> ATTRIBUTES =
      List.of(
          "axis",
          "axes",
          "group",
          "kernel_shape",
          "strides",
          "pads",
          "dilations",
          "perm",
          "to",
          "blocksize",
          "auto_pad",
          "transB",
          "transA",
          "alpha",
          "num_outputs",
          "keepdims",
          "split",
          "output_shape",
          "output_padding",
          "size",
          "mode",
          "epsilon",
          "batch_dims",
          "direction",
          "hidden_size",
          "equation",
          "ceil_mode",
          "storage_order",
          "p",
          "value",
          "num_groups",
          "block_size",
          "allowzero",
          "dtype",
          "spatial",
          "starts",
          "ends");

  private ModelDamage() {}

  /** The model with one to three damages. */
  static byte[] of(byte[] file, Random random) throws java.io.IOException {
    ModelProto.Builder model = ModelProto.parseFrom(file).toBuilder();
    for (int i = random.nextInt(3); i >= 0; i--) {
      once(model, model.getGraphBuilder(), random);
    }
    return model.build().toByteArray();
  }

  private static void once(ModelProto.Builder model, GraphProto.Builder graph, Random random) {
    if (graph.getNodeCount() == 0) {
      return;
    }
    NodeProto.Builder node = graph.getNodeBuilder(random.nextInt(graph.getNodeCount()));
    switch (random.nextInt(20)) {
      case 0 -> cycle(graph, node, random);
      case 1, 2 -> node.setOpType(OPERATORS.get(random.nextInt(OPERATORS.size())));
      case 3, 4 -> attribute(node, random);
      case 5, 6 -> changeAttribute(node, random);
      case 7 -> tensor(graph, random);
      case 8 -> dims(graph, random);
      case 9 -> inputShape(graph, random);
      case 10 -> inputs(node, graph, random);
      case 11 -> external(graph, random);
      case 12 -> opset(model, random);
      case 13 -> nested(node, random.nextInt(150));
      case 14 -> functions(model, node, random);
      case 15 -> insertedOperator(graph, random);
      case 16 -> bomb(graph, random);
      case 17 -> graph.removeNode(random.nextInt(graph.getNodeCount()));
      case 18 ->
          node.setName(
              random.nextBoolean() ? "" : "\u0000/../\n" + "x".repeat(random.nextInt(3000)));
      default -> output(graph, random);
    }
  }

  private static void cycle(GraphProto.Builder graph, NodeProto.Builder node, Random random) {
    NodeProto other = graph.getNode(random.nextInt(graph.getNodeCount()));
    if (node.getInputCount() > 0 && other.getOutputCount() > 0) {
      node.setInput(random.nextInt(node.getInputCount()), other.getOutput(0));
    }
  }

  private static void attribute(NodeProto.Builder node, Random random) {
    node.addAttribute(
        value(
            AttributeProto.newBuilder().setName(ATTRIBUTES.get(random.nextInt(ATTRIBUTES.size()))),
            random));
  }

  private static AttributeProto.Builder value(AttributeProto.Builder attribute, Random random) {
    switch (random.nextInt(5)) {
      case 0 -> attribute.setType(AttributeType.INT).setI(ByteDamage.extreme(random));
      case 1 -> attribute.setType(AttributeType.FLOAT).setF(Float.intBitsToFloat(random.nextInt()));
      case 2 -> attribute.setType(AttributeType.STRING).setS(ByteString.copyFromUtf8("SAME_UPPER"));
      case 3 ->
          attribute.setType(AttributeType.TENSOR).setT(Tensors.of("t", new float[] {1, 2}, 2));
      default -> {
        attribute.setType(AttributeType.INTS);
        for (int i = random.nextInt(6); i > 0; i--) {
          attribute.addInts(random.nextBoolean() ? random.nextInt(5) : ByteDamage.extreme(random));
        }
      }
    }
    return attribute;
  }

  private static void changeAttribute(NodeProto.Builder node, Random random) {
    if (node.getAttributeCount() == 0) {
      attribute(node, random);
      return;
    }
    AttributeProto.Builder changed =
        node.getAttributeBuilder(random.nextInt(node.getAttributeCount()));
    if (changed.getIntsCount() > 0 && random.nextInt(3) > 0) {
      changed.setInts(random.nextInt(changed.getIntsCount()), ByteDamage.extreme(random));
    } else if (random.nextBoolean()) {
      changed.setI(ByteDamage.extreme(random));
    } else {
      value(changed, random);
    }
  }

  private static TensorProto.Builder anyTensor(GraphProto.Builder graph, Random random) {
    return graph.getInitializerCount() == 0
        ? graph.addInitializerBuilder()
        : graph.getInitializerBuilder(random.nextInt(graph.getInitializerCount()));
  }

  private static void tensor(GraphProto.Builder graph, Random random) {
    TensorProto.Builder tensor = anyTensor(graph, random);
    switch (random.nextInt(5)) {
      case 0 -> tensor.setDataType(random.nextInt(30));
      case 1 -> tensor.setRawData(tensor.getRawData().substring(tensor.getRawData().size() / 2));
      case 2 -> tensor.clearRawData();
      case 3 -> {
        byte[] noise = new byte[tensor.getRawData().size()];
        random.nextBytes(noise);
        tensor.setRawData(ByteString.copyFrom(noise)); // infinities and NaN among them
      }
      default ->
          tensor
              .setDataType(TensorProto.DataType.STRING.getNumber())
              .addStringData(ByteString.EMPTY);
    }
  }

  private static void dims(GraphProto.Builder graph, Random random) {
    TensorProto.Builder tensor = anyTensor(graph, random);
    if (tensor.getDimsCount() == 0 || random.nextBoolean()) {
      tensor.addDims(ByteDamage.extreme(random));
    } else {
      tensor.setDims(random.nextInt(tensor.getDimsCount()), ByteDamage.extreme(random));
    }
  }

  private static void inputShape(GraphProto.Builder graph, Random random) {
    if (graph.getInputCount() > 0) {
      var type = graph.getInputBuilder(0).getTypeBuilder().getTensorTypeBuilder();
      if (random.nextInt(4) == 0) {
        type.setElemType(random.nextInt(24));
      } else if (type.getShape().getDimCount() > 0) {
        int dim = random.nextInt(type.getShape().getDimCount());
        long size = random.nextBoolean() ? 1L << random.nextInt(62) : ByteDamage.extreme(random);
        type.getShapeBuilder().getDimBuilder(dim).setDimValue(size);
      }
    }
  }

  private static void inputs(NodeProto.Builder node, GraphProto.Builder graph, Random random) {
    switch (random.nextInt(4)) {
      case 0 -> node.clearInput();
      case 1 -> node.addInput("nowhere");
      case 2 -> node.addInput(anyTensor(graph, random).getName());
      default -> node.clearOutput();
    }
  }

  private static void external(GraphProto.Builder graph, Random random) {
    List<String> places =
        List.of("/etc/passwd", "../../../etc/passwd", "weights.bin", "", "/dev/zero");
    anyTensor(graph, random)
        .clearRawData()
        .setDataLocation(TensorProto.DataLocation.EXTERNAL)
        .addExternalData(entry("location", places.get(random.nextInt(places.size()))))
        .addExternalData(entry("offset", Long.toString(ByteDamage.extreme(random))))
        .addExternalData(entry("length", Long.toString(ByteDamage.extreme(random))));
  }

  private static StringStringEntryProto entry(String key, String value) {
    return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
  }

  private static void opset(ModelProto.Builder model, Random random) {
    long version = random.nextBoolean() ? random.nextInt(40) : ByteDamage.extreme(random);
    String domain = random.nextInt(3) == 0 ? "com.microsoft" : "";
    model
        .clearOpsetImport()
        .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain(domain).setVersion(version));
  }

  /** A branch within a branch within a branch. */
  private static void nested(NodeProto.Builder node, int depth) {
    GraphProto inner = GraphProto.newBuilder().setName("g").addNode(node.build()).build();
    for (int i = 0; i < depth; i++) {
      NodeProto.Builder branch =
          NodeProto.newBuilder().setOpType("If").addInput("c").addOutput("o");
      for (String name : List.of("then_branch", "else_branch")) {
        branch.addAttribute(
            AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeType.GRAPH)
                .setG(name.startsWith("then") ? inner : GraphProto.getDefaultInstance()));
      }
      inner = GraphProto.newBuilder().setName("g").addNode(branch).build();
    }
    node.addAttribute(
        AttributeProto.newBuilder()
            .setName("then_branch")
            .setType(AttributeType.GRAPH)
            .setG(inner));
  }

  /** Functions that call themselves, or double at every step. */
  private static void functions(ModelProto.Builder model, NodeProto.Builder node, Random random) {
    boolean circle = random.nextBoolean();
    int steps = circle ? 1 + random.nextInt(3) : 10 + random.nextInt(30);
    for (int i = 0; i < steps; i++) {
      String next = circle ? "f" + (i + 1) % steps : "f" + (i + 1);
      FunctionProto.Builder function =
          FunctionProto.newBuilder()
              .setName("f" + i)
              .setDomain("local")
              .addInput("x")
              .addOutput("y")
              .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(13))
              .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("local").setVersion(1));
      boolean last = !circle && i == steps - 1;
      function.addNode(call(last ? "Relu" : next, last ? "" : "local", "x", "m"));
      function.addNode(call(last ? "Relu" : next, last ? "" : "local", "m", "y"));
      model.addFunctions(function);
    }
    model.addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("local").setVersion(1));
    if (node.getInputCount() > 0 && node.getOutputCount() > 0) {
      NodeProto called = call("f0", "local", node.getInput(0), node.getOutput(0));
      node.clear().mergeFrom(called);
    }
  }

  private static NodeProto call(String type, String domain, String input, String output) {
    return NodeProto.newBuilder()
        .setOpType(type)
        .setDomain(domain)
        .addInput(input)
        .addOutput(output)
        .build();
  }

  /** Some operator in the way of a tensor, with numbers of any size as its further inputs. */
  private static void insertedOperator(GraphProto.Builder graph, Random random) {
    NodeProto.Builder reader = graph.getNodeBuilder(random.nextInt(graph.getNodeCount()));
    if (reader.getInputCount() == 0) {
      return;
    }
    String from = reader.getInput(0);
    String to = "inserted" + random.nextInt(1000);
    NodeProto.Builder node =
        NodeProto.newBuilder()
            .setOpType(OPERATORS.get(random.nextInt(OPERATORS.size())))
            .setName(to)
            .addInput(from)
            .addOutput(to);
    for (int i = random.nextInt(4); i > 0; i--) {
      long[] numbers = new long[1 + random.nextInt(8)];
      for (int n = 0; n < numbers.length; n++) {
        numbers[n] = random.nextInt(3) > 0 ? random.nextInt(9) - 2 : ByteDamage.extreme(random);
      }
      String name = to + "c" + i;
      graph.addInitializer(
          random.nextBoolean()
              ? Tensors.of(name, numbers, numbers.length)
              : Tensors.of(name, new float[] {random.nextFloat()}, 1));
      node.addInput(name);
    }
    for (int i = random.nextInt(3); i > 0; i--) {
      attribute(node, random);
    }
    graph.addNode(node);
    reader.setInput(0, to);
  }

  /** A tensor that grows out of all proportion. */
  private static void bomb(GraphProto.Builder graph, Random random) {
    NodeProto.Builder reader = graph.getNodeBuilder(random.nextInt(graph.getNodeCount()));
    if (reader.getInputCount() == 0) {
      return;
    }
    String id = "bomb" + random.nextInt(1000);
    long size = 1L << (10 + random.nextInt(50));
    String from = reader.getInput(0);
    NodeProto.Builder node = NodeProto.newBuilder().setName(id).addOutput(id);
    switch (random.nextInt(5)) {
      case 0 -> {
        graph.addInitializer(Tensors.of(id + "s", new long[] {1, 1, size, size}, 4));
        node.setOpType("Tile").addInput(from).addInput(id + "s");
      }
      case 1 -> {
        graph.addInitializer(Tensors.of(id + "s", new long[] {size, 1, 1, 1}, 4));
        node.setOpType("Expand").addInput(from).addInput(id + "s");
      }
      case 2 -> {
        graph.addInitializer(Tensors.of(id + "s", new long[] {size, size}, 2));
        node.setOpType("ConstantOfShape").addInput(id + "s");
      }
      case 3 -> {
        graph.addInitializer(Tensors.of(id + "s", new long[] {0, 0, size, size, 0, 0, size, 0}, 8));
        node.setOpType("Pad").addInput(from).addInput(id + "s");
      }
      default -> {
        graph.addInitializer(Tensors.of(id + "s", new float[] {1, 1, size, size}, 4));
        node.setOpType("Resize").addInput(from).addInput("").addInput(id + "s");
      }
    }
    graph.addNode(node);
    reader.setInput(0, id);
  }

  private static void output(GraphProto.Builder graph, Random random) {
    switch (random.nextInt(3)) {
      case 0 -> graph.clearOutput();
      case 1 -> graph.clearOutput().addOutput(ValueInfoProto.newBuilder().setName("nowhere"));
      default -> graph.addNode(Nodes.node("Relu", List.of("nowhere"), "image"));
    }
  }
}
