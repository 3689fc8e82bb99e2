package dev.haq.quantizer.graphs;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.haq.model.Layer;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.GraphNode;
import dev.haq.quantizer.onnx.GraphNode.Other;
import dev.haq.quantizer.onnx.GraphNode.Quantizable;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Tensors;
import dev.haq.quantizer.quant.Equalisation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A network whose weight ranges are equalised across pairs of layers (see {@link Equalisation}): it
 * computes the same. A pair is a layer and the only one that reads it, with nothing between them
 * but operators that work on each channel by itself and scale along.
 *
 * <p>Departure: the paper replaces ReLU6 by ReLU, which changes what the network computes. Here the
 * bound of a scaled channel is scaled as well, by a minimum with one value for each channel.
 */
public final class EqualisedGraph {
  /** Scales settle within a few rounds over all pairs; the paper repeats until they do. */
  private static final int ROUNDS = 20;

  /** Operators with f(x / s) s = f(x) in each channel, s above 0. */
  private static final Set<String> SCALES_ALONG =
      Set.of("Relu", "LeakyRelu", "MaxPool", "AveragePool", "GlobalAveragePool", "Identity");

  /** The same where they leave one value of each channel. */
  private static final Set<String> LEAVES_CHANNELS =
      Set.of("Flatten", "Reshape", "Squeeze", "ReduceMean");

  private EqualisedGraph() {}

  /**
   * @param written index of the layer that writes the channels
   * @param read index of the layer that reads them
   * @param clamps the clips between them
   */
  private record Pair(int written, int read, List<NodeProto> clamps) {}

  public static CnnGraph of(CnnGraph graph) {
    List<Quantizable> layers = graph.layers();
    List<Pair> pairs = new ArrayList<>();
    for (int k = 0; k < layers.size(); k++) {
      pair(graph, layers, k).ifPresent(pairs::add);
    }
    float[][] weights = new float[layers.size()][];
    float[][] biases = new float[layers.size()][];
    for (int k = 0; k < layers.size(); k++) {
      weights[k] = layers.get(k).weights();
      biases[k] = layers.get(k).bias();
    }
    double[][] total = new double[pairs.size()][];
    for (int round = 0; round < ROUNDS; round++) {
      for (int p = 0; p < total.length; p++) {
        int a = pairs.get(p).written();
        int b = pairs.get(p).read();
        Layer reader = layers.get(b).layer();
        int area = GraphNode.window(reader).kernelArea();
        int groups = layers.get(b).groups();
        int channels = reader.inputs();
        double[] scales =
            Equalisation.scales(
                Equalisation.writtenReach(weights[a], channels),
                Equalisation.readReach(weights[b], reader.outputs(), groups, channels, area));
        weights[a] = Equalisation.written(weights[a], scales);
        biases[a] = Equalisation.written(biases[a], scales);
        weights[b] = Equalisation.read(weights[b], reader.outputs(), groups, area, scales);
        total[p] = product(total[p], scales);
      }
    }
    return rewritten(graph, pairs, total, weights, biases);
  }

  private static double[] product(double[] before, double[] scales) {
    double[] product = scales.clone();
    for (int c = 0; before != null && c < product.length; c++) {
      product[c] *= before[c];
    }
    return product;
  }

  /** The pair that a layer begins. */
  private static Optional<Pair> pair(CnnGraph graph, List<Quantizable> layers, int first) {
    // A matrix product of several rows has its outputs last, where operators have no channels.
    if (layers.get(first).layer() instanceof Layer.Linear linear && linear.rows() > 1) {
      return Optional.empty();
    }
    int channels = layers.get(first).layer().outputs();
    List<NodeProto> clamps = new ArrayList<>();
    String tensor = layers.get(first).output();
    while (!tensor.equals(graph.output())) {
      List<GraphNode> readers = graph.readers(tensor);
      if (readers.size() != 1) {
        return Optional.empty();
      }
      if (readers.get(0) instanceof Quantizable reader) {
        boolean sameChannels =
            reader.layer().inputs() == channels && inputChannels(graph, reader) == channels;
        return sameChannels
            ? Optional.of(new Pair(first, layers.indexOf(reader), clamps))
            : Optional.empty();
      }
      NodeProto node = ((Other) readers.get(0)).node();
      if (!Nodes.is(node, node.getOpType()) || !node.getInput(0).equals(tensor)) {
        return Optional.empty();
      }
      boolean clamp = Nodes.is(node, "Clip") && Activations.clampsFromZero(graph, node);
      boolean leaves =
          LEAVES_CHANNELS.contains(node.getOpType())
              && channels == valuesOfAnImage(graph, node.getOutput(0))
              && (!Nodes.is(node, "ReduceMean") || isOverPixels(graph, node));
      boolean byChannel =
          (clamp || SCALES_ALONG.contains(node.getOpType()))
              && hasChannels(graph.shapes().get(tensor), channels);
      if (!byChannel && !leaves) {
        return Optional.empty();
      }
      if (clamp) {
        clamps.add(node);
      }
      tensor = node.getOutput(0);
    }
    return Optional.empty();
  }

  private static boolean hasChannels(List<Integer> shape, int channels) {
    return shape.size() > 1 && shape.get(1) == channels;
  }

  /** How many channels a layer's input has by its shape; a matrix product has them last. */
  private static int inputChannels(CnnGraph graph, Quantizable layer) {
    List<Integer> shape = graph.shapes().get(layer.input());
    if (layer.layer() instanceof Layer.Linear linear) {
      return linear.rows() == 1 ? shape.get(shape.size() - 1) : -1;
    }
    return shape.get(1);
  }

  /** Whether a mean is taken over dimensions behind the channels alone. */
  private static boolean isOverPixels(CnnGraph graph, NodeProto mean) {
    int dimensions = graph.shapes().get(mean.getInput(0)).size();
    TensorProto named = graph.constants().get(Nodes.input(mean, 1));
    long[] axes =
        named != null
            ? Tensors.longs(named)
            : Arrays.stream(Nodes.ints(mean, "axes")).asLongStream().toArray();
    return axes.length > 0
        && Arrays.stream(axes).allMatch(axis -> (axis < 0 ? axis + dimensions : axis) > 1);
  }

  private static int valuesOfAnImage(CnnGraph graph, String tensor) {
    return graph.shapes().get(tensor).stream().reduce(1, Math::multiplyExact);
  }

  private static CnnGraph rewritten(
      CnnGraph graph, List<Pair> pairs, double[][] scales, float[][] weights, float[][] biases) {
    Map<NodeProto, double[]> clamps = new HashMap<>();
    for (int p = 0; p < scales.length; p++) {
      for (NodeProto clamp : pairs.get(p).clamps()) {
        clamps.put(clamp, scales[p]);
      }
    }
    GraphRewrite rewrite = new GraphRewrite(graph);
    int next = 0;
    for (GraphNode node : graph.nodes()) {
      if (node instanceof Quantizable layer) {
        rewrite.layer(layer, layer.input(), weights[next], biases[next]);
        next++;
      } else if (clamps.containsKey(((Other) node).node())) {
        NodeProto clip = ((Other) node).node();
        clampByChannel(graph, rewrite, clip, clamps.get(clip));
      } else {
        rewrite.keep(node);
      }
    }
    return rewrite.done();
  }

  private static void clampByChannel(
      CnnGraph graph, GraphRewrite rewrite, NodeProto clip, double[] scales) {
    String output = clip.getOutput(0);
    float highest = Activations.upperBound(graph, clip);
    float[] bounds = new float[scales.length];
    for (int c = 0; c < bounds.length; c++) {
      bounds[c] = (float) (highest / scales[c]);
    }
    int[] dims = new int[graph.shapes().get(output).size() - 1];
    Arrays.fill(dims, 1);
    dims[0] = bounds.length;
    String bound = rewrite.constant(output + "/equalised/bound", bounds, dims);
    String relu = output + "/equalised/relu";
    rewrite.add(Nodes.node("Relu", List.of(clip.getInput(0)), relu), output, true);
    rewrite.add(Nodes.node("Min", List.of(relu, bound), output), output, true);
  }
}
