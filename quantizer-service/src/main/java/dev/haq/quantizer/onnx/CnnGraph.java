package dev.haq.quantizer.onnx;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.haq.quantizer.onnx.GraphNode.Quantizable;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The normal form of a classification network that quantized graphs are written from: nodes in
 * topological order, constants resolved, batch-norm folded, branches that reach no output cut.
 *
 * @param nodes in topological order
 * @param constants tensors that {@link GraphNode.Other} nodes read, by name
 * @param operatorSets as the model declares them
 * @param irVersion of the model's file
 * @param input name of the one input, float [batch, channels, height, width]
 * @param channelsLastInput name of the input [batch, height, width, channels] that the model had in
 *     its place; empty where it is the model's own
 * @param inputShape channels, height, width
 * @param output name of the class scores, float [batch, classes] or the same with trailing ones
 * @param outputKind what the scores are
 * @param classes how many classes it tells apart
 * @param fixedBatch whether it runs on one image at a time only
 * @param shapes of every tensor it computes, for a batch of one
 * @param nonNegative tensors that cannot hold a negative value
 */
public record CnnGraph(
    List<GraphNode> nodes,
    Map<String, TensorProto> constants,
    List<OperatorSetIdProto> operatorSets,
    long irVersion,
    String input,
    Optional<String> channelsLastInput,
    List<Integer> inputShape,
    String output,
    OutputKind outputKind,
    int classes,
    boolean fixedBatch,
    Map<String, List<Integer>> shapes,
    Set<String> nonNegative) {
  /** What a network's output holds. */
  public enum OutputKind {
    /** Any real numbers; a softmax makes probabilities of them. */
    LOGITS,
    /** Already through a softmax. */
    PROBABILITIES
  }

  /** The domain of ONNX Runtime's own operators. */
  public static final String MICROSOFT = "com.microsoft";

  public CnnGraph {
    nodes = List.copyOf(nodes);
    constants = Map.copyOf(constants);
    operatorSets = List.copyOf(operatorSets);
    inputShape = List.copyOf(inputShape);
    shapes = Map.copyOf(shapes);
    nonNegative = Set.copyOf(nonNegative);
  }

  /** The quantizable layers in execution order, as in the model's {@code Network}. */
  public List<Quantizable> layers() {
    return nodes.stream()
        .filter(Quantizable.class::isInstance)
        .map(Quantizable.class::cast)
        .toList();
  }

  /** The nodes that read {@code tensor}. */
  public List<GraphNode> readers(String tensor) {
    return nodes.stream().filter(n -> reads(n, tensor)).toList();
  }

  /** Be it in a branch. */
  private static boolean reads(GraphNode node, String tensor) {
    return node instanceof GraphNode.Other other
        ? Nodes.reads(other.node()).contains(tensor)
        : node.inputs().contains(tensor);
  }

  /** The node that computes {@code tensor}; empty for the input and for constants. */
  public Optional<GraphNode> writer(String tensor) {
    return nodes.stream().filter(n -> n.outputs().contains(tensor)).findFirst();
  }

  /** Names that tensors have: computed ones, constants, and what subgraphs read. */
  public Set<String> tensors() {
    Set<String> names = new HashSet<>(constants.keySet());
    names.add(input);
    for (GraphNode node : nodes) {
      names.addAll(node.outputs());
      names.addAll(node instanceof GraphNode.Other o ? Nodes.reads(o.node()) : node.inputs());
    }
    return names;
  }

  /** The version of the standard operators. */
  public long opset() {
    return operatorSets.stream()
        .filter(o -> o.getDomain().isEmpty() || o.getDomain().equals("ai.onnx"))
        .mapToLong(OperatorSetIdProto::getVersion)
        .max()
        .orElse(0);
  }

  /** Values of one input image. */
  public int inputValues() {
    return inputShape.stream().mapToInt(Integer::intValue).reduce(1, Math::multiplyExact);
  }

  /** A model with this graph's operator sets and no nodes yet. */
  public ModelProto.Builder emptyModel() {
    ModelProto.Builder model =
        ModelProto.newBuilder()
            .setIrVersion(irVersion)
            .setProducerName("haq")
            .addAllOpsetImport(operatorSets);
    if (operatorSets.stream().noneMatch(o -> o.getDomain().equals(MICROSOFT))) {
      model.addOpsetImport(OperatorSetIdProto.newBuilder().setDomain(MICROSOFT).setVersion(1));
    }
    return model;
  }
}
