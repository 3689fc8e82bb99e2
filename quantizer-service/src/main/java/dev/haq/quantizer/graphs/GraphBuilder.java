package dev.haq.quantizer.graphs;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.haq.model.Layer;
import dev.haq.model.Window;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.GraphNode;
import dev.haq.quantizer.onnx.GraphNode.Other;
import dev.haq.quantizer.onnx.GraphNode.Quantizable;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Tensors;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/** Puts a graph together: nodes in the order they are added, constants, made names. */
final class GraphBuilder {
  private final CnnGraph source;
  private final List<NodeProto> nodes = new ArrayList<>();
  private final Map<String, TensorProto> constants = new HashMap<>();
  private final Map<LongBuffer, String> longs = new HashMap<>();
  private Optional<CodedInput> codedInput = Optional.empty();
  private final Set<String> taken;
  private int made;

  GraphBuilder(CnnGraph source) {
    this.source = source;
    this.taken = source.tensors();
  }

  /** Lets the model take images as codes. */
  void takeCodes(CodedInput input) {
    codedInput = Optional.of(input);
  }

  /** A tensor name that nothing else has; a model may have been written by this class before. */
  String fresh(String hint) {
    String name;
    do {
      name = "haq/" + hint + "/" + made++;
    } while (taken.contains(name));
    return name;
  }

  String constant(TensorProto tensor) {
    constants.put(tensor.getName(), tensor);
    return tensor.getName();
  }

  String scalar(String hint, float value) {
    return constant(Tensors.of(fresh(hint), new float[] {value}));
  }

  /** A scalar unsigned byte, 0..255. */
  String unsignedByte(String hint, int value) {
    return constant(Tensors.uint8(fresh(hint), new byte[] {(byte) value}));
  }

  String vector(String hint, float[] values) {
    return constant(Tensors.of(fresh(hint), values, values.length));
  }

  /** A vector of whole numbers; equal ones are one constant, since each takes time to open. */
  String longs(String hint, long... values) {
    return longs.computeIfAbsent(
        LongBuffer.wrap(values), same -> constant(Tensors.of(fresh(hint), values, values.length)));
  }

  void add(NodeProto node) {
    nodes.add(node);
  }

  void add(NodeProto.Builder node) {
    nodes.add(node.build());
  }

  /** Adds a node with one output of a made name and returns that name. */
  String op(String type, List<String> inputs) {
    String output = fresh(type);
    add(Nodes.node(type, inputs, output));
    return output;
  }

  /** Adds a layer computed in floating point. */
  void floatLayer(Quantizable layer, String input, float[] weights, float[] bias, String output) {
    String weightName = constant(Tensors.of(fresh("weight"), weights, layer.weightDims()));
    String biasName = vector("bias", bias);
    realLayer(layer, input, weightName, biasName, output);
  }

  /** Adds a floating-point layer whose weights [outputs][...] and bias are tensors already. */
  void realLayer(Quantizable layer, String input, String weights, String bias, String output) {
    operator(layer, input, turned(layer, weights), bias, output);
  }

  /** Weights [outputs][...] as the layer's operator reads them. */
  String turned(Quantizable layer, String weights) {
    return isMatMul(layer) ? op("Transpose", List.of(weights)) : weights;
  }

  /**
   * Whether the layer is written as a MatMul, which reads weights [inputs][outputs]; all others
   * read [outputs][...].
   */
  boolean isMatMul(Quantizable layer) {
    return layer.layer() instanceof Layer.Linear && source.shapes().get(layer.input()).size() != 2;
  }

  /** Dimensions of a layer's weights as its operator reads them. */
  int[] operandDims(Quantizable layer) {
    int[] dims = layer.weightDims();
    return isMatMul(layer) ? new int[] {dims[1], dims[0]} : dims;
  }

  /** Adds a floating-point layer whose weights are a tensor as {@link #isMatMul} says. */
  void operator(Quantizable layer, String input, String weights, String bias, String output) {
    if (isMatMul(layer)) {
      String product = fresh("MatMul");
      add(Nodes.node("MatMul", List.of(input, weights), product).setName(layer.layer().name()));
      add(Nodes.node("Add", List.of(product, bias), output));
    } else if (layer.layer() instanceof Layer.Linear) {
      add(
          Nodes.node("Gemm", List.of(input, weights, bias), output)
              .setName(layer.layer().name())
              .addAttribute(Nodes.integer("transB", 1)));
    } else {
      add(
          convolution(Nodes.node("Conv", List.of(input, weights, bias), output), layer)
              .setName(layer.layer().name()));
    }
  }

  /** Completes a convolution node with the layer's window and groups. */
  static NodeProto.Builder convolution(NodeProto.Builder node, Quantizable layer) {
    Window w = GraphNode.window(layer.layer());
    return node.addAttribute(Nodes.ints("kernel_shape", w.kernelHeight(), w.kernelWidth()))
        .addAttribute(Nodes.ints("strides", w.strideHeight(), w.strideWidth()))
        .addAttribute(Nodes.ints("dilations", w.dilationHeight(), w.dilationWidth()))
        .addAttribute(Nodes.ints("pads", w.padTop(), w.padLeft(), w.padBottom(), w.padRight()))
        .addAttribute(Nodes.integer("group", layer.groups()));
  }

  /**
   * Adds the network's nodes in their order.
   *
   * @param layers what there is for each layer
   * @param layer adds one
   * @param other adds any other node
   */
  <T> void addAll(List<T> layers, BiConsumer<Quantizable, T> layer, Consumer<NodeProto> other) {
    Iterator<T> next = layers.iterator();
    for (GraphNode node : source.nodes()) {
      if (node instanceof Quantizable quantizable) {
        layer.accept(quantizable, next.next());
      } else {
        other.accept(((Other) node).node());
      }
    }
  }

  /** The network with each layer written by {@code layer}, and all else as it is. */
  <T> ModelProto network(List<T> layers, BiConsumer<Quantizable, T> layer) {
    addAll(layers, layer, this::add);
    return build(List.of(source.output()));
  }

  /**
   * The graph as a model that returns {@code outputs}; nodes that these do not need are left out.
   */
  ModelProto build(Collection<String> outputs) {
    return build(outputs, List.of(input()));
  }

  /** A model of a part of the graph: of {@code inputs} those that its nodes need become its own. */
  ModelProto build(Collection<String> outputs, Collection<ValueInfoProto> inputs) {
    Set<String> needed = new HashSet<>(outputs);
    List<NodeProto> kept = new ArrayList<>();
    for (int i = nodes.size() - 1; i >= 0; i--) {
      NodeProto node = nodes.get(i);
      if (node.getOutputList().stream().anyMatch(needed::contains)) {
        needed.addAll(Nodes.reads(node));
        kept.add(node);
      }
    }
    Collections.reverse(kept);
    GraphProto.Builder graph = GraphProto.newBuilder().setName("haq").addAllNode(kept);
    for (String name : needed) {
      TensorProto constant = constants.getOrDefault(name, source.constants().get(name));
      if (constant != null) {
        graph.addInitializer(constant);
      }
    }
    inputs.stream().filter(input -> needed.contains(input.getName())).forEach(graph::addInput);
    outputs.forEach(name -> graph.addOutput(ValueInfoProto.newBuilder().setName(name)));
    return source.emptyModel().setGraph(graph).build();
  }

  /** The network's own input. */
  ValueInfoProto input() {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    if (source.fixedBatch()) {
      shape.addDimBuilder().setDimValue(1);
    } else {
      shape.addDimBuilder().setDimParam("batch");
    }
    List<Integer> own = source.inputShape();
    List<Integer> dims =
        codedInput.map(c -> List.of(own.get(1), own.get(2), c.channels())).orElse(own);
    dims.forEach(size -> shape.addDimBuilder().setDimValue(size));
    DataType type = codedInput.isPresent() ? DataType.UINT8 : DataType.FLOAT;
    return ValueInfoProto.newBuilder()
        .setName(source.input())
        .setType(
            TypeProto.newBuilder()
                .setTensorType(
                    TypeProto.Tensor.newBuilder().setElemType(type.getNumber()).setShape(shape)))
        .build();
  }
}
