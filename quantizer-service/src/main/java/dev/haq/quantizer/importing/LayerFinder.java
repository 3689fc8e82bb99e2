package dev.haq.quantizer.importing;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.haq.model.FeatureMap;
import dev.haq.model.HaqException;
import dev.haq.model.Layer;
import dev.haq.model.Reason;
import dev.haq.model.Window;
import dev.haq.quantizer.onnx.GraphNode;
import dev.haq.quantizer.onnx.GraphNode.Quantizable;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Finds the layers that can be quantized: Conv, Gemm and MatMul whose weights are constants of 32
 * bits. What it does not recognise stays as it is, in floating point.
 */
final class LayerFinder {
  private final GraphDraft draft;
  private final Map<String, List<Integer>> shapes;
  private final Map<String, Integer> batchNormParameters;
  private final Map<String, Integer> onlyReaders;

  /** Add nodes that became the bias of the MatMul before them. */
  private final Set<Integer> absorbed = new HashSet<>();

  private LayerFinder(
      GraphDraft draft,
      Map<String, List<Integer>> shapes,
      Map<String, Integer> batchNormParameters) {
    this.draft = draft;
    this.shapes = shapes;
    this.batchNormParameters = batchNormParameters;
    this.onlyReaders = draft.onlyReaders();
  }

  /**
   * The nodes of the graph; the draft loses the tensors that have become weights of layers.
   *
   * @param batchNormParameters of the layers that a batch-norm was folded into
   * @throws HaqException UNSUPPORTED_OPERATOR, or INVALID_MODEL where weights are not finite
   */
  static List<GraphNode> find(
      GraphDraft draft,
      Map<String, List<Integer>> shapes,
      Map<String, Integer> batchNormParameters) {
    LayerFinder finder = new LayerFinder(draft, shapes, batchNormParameters);
    List<GraphNode> nodes = new ArrayList<>();
    for (int i = 0; i < draft.nodes.size(); i++) {
      if (!finder.absorbed.contains(i)) {
        NodeProto node = draft.nodes.get(i);
        Optional<Quantizable> layer = finder.quantizable(node);
        layer.ifPresent(
            found -> {
              FiniteWeights.require(found, batchNormParameters.containsKey(node.getName()));
              finder.letGo(node);
            });
        nodes.add(layer.<GraphNode>map(q -> q).orElse(new GraphNode.Other(node)));
      }
    }
    return nodes;
  }

  /** Drops the tensors that a layer was made of and nobody else reads: they are held twice now. */
  private void letGo(NodeProto node) {
    for (String name : node.getInputList()) {
      if (onlyReaders.containsKey(name)) {
        draft.constants.remove(name);
      }
    }
  }

  private Optional<Quantizable> quantizable(NodeProto node) {
    Optional<TensorProto> weights = constant(Nodes.input(node, 1)).filter(Tensors::isSingle);
    if (weights.isEmpty() || draft.constants.containsKey(Nodes.input(node, 0))) {
      return Optional.empty();
    }
    if (Nodes.is(node, "Conv")) {
      return convolution(node, weights.get());
    }
    if (Nodes.is(node, "Gemm")) {
      return gemm(node, weights.get());
    }
    if (Nodes.is(node, "MatMul")) {
      return matMul(node, weights.get());
    }
    return Optional.empty();
  }

  private Optional<Quantizable> convolution(NodeProto node, TensorProto weights) {
    if (weights.getDimsCount() != 4) {
      if (Tensors.elements(weights) < UncountedLayers.FEWEST_WEIGHTS) {
        return Optional.empty(); // over channels, as in efficient channel attention
      }
      // Left in float it would be missing from every cost, silently.
      throw new HaqException(
          Reason.UNSUPPORTED_OPERATOR,
          "node '%s' (Conv) convolves over %d dimensions: only two are supported; a one-dimensional one can be exported as 1 x k over maps of height 1"
              .formatted(node.getName(), weights.getDimsCount() - 2));
    }
    List<Integer> in = shapes.get(node.getInput(0));
    List<Integer> out = shapes.get(node.getOutput(0));
    String biasName = Nodes.input(node, 2);
    if (in == null || out == null || (!biasName.isEmpty() && constant(biasName).isEmpty())) {
      return Optional.empty();
    }
    if (in.get(0) != 1) {
      // Counted once it would be too cheap in every cost, silently.
      throw new HaqException(
          Reason.UNSUPPORTED_OPERATOR,
          "node '%s' (Conv) reads %d maps of each image, as shape %s: a layer's cost is counted for one; export the model with the images alone along the first dimension"
              .formatted(node.getName(), in.get(0), in));
    }
    int outputs = out.get(1);
    int inputs = in.get(1);
    int groups = (int) Nodes.integer(node, "group", 1);
    FeatureMap input = new FeatureMap(in.get(2), in.get(3));
    FeatureMap output = new FeatureMap(out.get(2), out.get(3));
    Window window = window(node, Tensors.dims(weights), input, output);
    float[] bias =
        biasName.isEmpty() ? new float[outputs] : Tensors.floats(constant(biasName).get());
    int floatParameters =
        batchNormParameters.getOrDefault(node.getName(), biasName.isEmpty() ? 0 : outputs);
    String name = node.getName();
    Layer layer =
        Layer.convolution(name, inputs, outputs, groups, window, input, output, floatParameters);
    return Optional.of(
        new Quantizable(layer, node.getInput(0), node.getOutput(0), Tensors.floats(weights), bias));
  }

  private static Window window(
      NodeProto node, int[] weightDims, FeatureMap input, FeatureMap output) {
    int[] strides = Nodes.ints(node, "strides", 1, 1);
    int[] dilations = Nodes.ints(node, "dilations", 1, 1);
    int[] pads = Nodes.ints(node, "pads", 0, 0, 0, 0);
    String autoPad = Nodes.string(node, "auto_pad", "NOTSET");
    if (autoPad.startsWith("SAME")) {
      int vertical =
          samePadding(input.height(), output.height(), weightDims[2], strides[0], dilations[0]);
      int horizontal =
          samePadding(input.width(), output.width(), weightDims[3], strides[1], dilations[1]);
      boolean upper = autoPad.equals("SAME_UPPER");
      int top = upper ? vertical / 2 : vertical - vertical / 2;
      int left = upper ? horizontal / 2 : horizontal - horizontal / 2;
      pads = new int[] {top, left, vertical - top, horizontal - left};
    }
    return new Window(
        weightDims[2],
        weightDims[3],
        strides[0],
        strides[1],
        dilations[0],
        dilations[1],
        pads[0],
        pads[1],
        pads[2],
        pads[3]);
  }

  private static int samePadding(int in, int out, int kernel, int stride, int dilation) {
    return Math.max(0, (out - 1) * stride + (kernel - 1) * dilation + 1 - in);
  }

  private Optional<Quantizable> gemm(NodeProto node, TensorProto weights) {
    List<Integer> out = shapes.get(node.getOutput(0));
    if (weights.getDimsCount() != 2 || out == null || Nodes.integer(node, "transA", 0) != 0) {
      return Optional.empty();
    }
    int[] dims = Tensors.dims(weights);
    boolean outputMajor = Nodes.integer(node, "transB", 0) != 0;
    int outputs = outputMajor ? dims[0] : dims[1];
    int inputs = outputMajor ? dims[1] : dims[0];
    float[] values = Tensors.floats(weights);
    values = outputMajor ? values : Tensors.transposed(values, inputs, outputs);
    String biasName = Nodes.input(node, 2);
    Optional<float[]> bias = bias(biasName, outputs);
    if (bias.isEmpty()) {
      return Optional.empty();
    }
    int floatParameters = biasName.isEmpty() ? 0 : outputs;
    int rows = out.get(0);
    return Optional.of(
        new Quantizable(
            new Layer.Linear(node.getName(), inputs, outputs, rows, floatParameters),
            node.getInput(0),
            node.getOutput(0),
            scaled(values, Nodes.real(node, "alpha", 1)),
            scaled(bias.get(), Nodes.real(node, "beta", 1))));
  }

  private Optional<Quantizable> matMul(NodeProto node, TensorProto weights) {
    List<Integer> in = shapes.get(node.getInput(0));
    if (weights.getDimsCount() != 2 || in == null || in.size() < 2) {
      return Optional.empty();
    }
    int[] dims = Tensors.dims(weights);
    int inputs = dims[0];
    int outputs = dims[1];
    int rows = in.stream().mapToInt(Integer::intValue).reduce(1, Math::multiplyExact) / inputs;
    String output = node.getOutput(0);
    float[] bias = new float[outputs];
    int floatParameters = 0;
    int reader = onlyReaders.getOrDefault(output, -1);
    if (reader >= 0 && Nodes.is(draft.nodes.get(reader), "Add")) {
      NodeProto add = draft.nodes.get(reader);
      String other = add.getInput(add.getInput(0).equals(output) ? 1 : 0);
      Optional<float[]> added = other.equals(output) ? Optional.empty() : bias(other, outputs);
      if (added.isPresent() && shapes.get(add.getOutput(0)).equals(shapes.get(output))) {
        bias = added.get();
        floatParameters = outputs;
        output = add.getOutput(0);
        absorbed.add(reader);
      }
    }
    return Optional.of(
        new Quantizable(
            new Layer.Linear(node.getName(), inputs, outputs, rows, floatParameters),
            node.getInput(0),
            output,
            Tensors.transposed(Tensors.floats(weights), inputs, outputs),
            bias));
  }

  /** A bias as one value for each output; empty where it is no such constant. */
  private Optional<float[]> bias(String name, int outputs) {
    if (name.isEmpty()) {
      return Optional.of(new float[outputs]);
    }
    Optional<TensorProto> tensor = constant(name).filter(Tensors::isSingle);
    if (tensor.isEmpty()) {
      return Optional.empty();
    }
    float[] values = Tensors.floats(tensor.get());
    int[] dims = Tensors.dims(tensor.get());
    if (values.length == 1) {
      float[] repeated = new float[outputs];
      Arrays.fill(repeated, values[0]);
      return Optional.of(repeated);
    }
    boolean lastAxis = values.length == outputs && dims[dims.length - 1] == outputs;
    return lastAxis ? Optional.of(values) : Optional.empty();
  }

  private Optional<TensorProto> constant(String name) {
    return Optional.ofNullable(draft.constants.get(name));
  }

  private static float[] scaled(float[] values, float factor) {
    if (factor == 1) {
      return values;
    }
    float[] result = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      result[i] = values[i] * factor;
    }
    return result;
  }
}
