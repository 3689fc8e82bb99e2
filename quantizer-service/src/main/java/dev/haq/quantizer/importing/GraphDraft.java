package dev.haq.quantizer.importing;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.quantizer.onnx.Nodes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * A graph while it is brought into normal form: nodes in topological order with unique names, and
 * the constants they read. The passes beside this class change it in place.
 */
final class GraphDraft {
  /** Converters that join the names of what they fuse come to some hundred characters. */
  static final int LONGEST_NAME = 400;

  /** Without its tensors, which are among the constants, so that they can leave the memory. */
  final ModelProto model;

  final List<NodeProto> nodes;
  final Map<String, TensorProto> constants;
  final ValueInfoProto input;
  final String output;

  /** Outputs of the model besides the class scores, which nobody asks for. */
  final List<String> ignoredOutputs;

  /** As many as its constants may come to. */
  final long mostBytes;

  /** Asked now and then whether nobody waits for the model any more. */
  final BooleanSupplier cancelled;

  private GraphDraft(
      ModelProto model,
      List<NodeProto> nodes,
      Map<String, TensorProto> constants,
      ValueInfoProto input,
      String output,
      List<String> ignoredOutputs,
      long mostBytes,
      BooleanSupplier cancelled) {
    this.mostBytes = mostBytes;
    this.cancelled = cancelled;
    this.model = model;
    this.nodes = nodes;
    this.constants = constants;
    this.input = input;
    this.output = output;
    this.ignoredOutputs = List.copyOf(ignoredOutputs);
  }

  /**
   * @param mostBytes as many as the model's constants may come to
   * @param cancelled asked now and then whether nobody waits for the model any more
   */
  static GraphDraft of(ModelProto model, long mostBytes, BooleanSupplier cancelled) {
    GraphProto graph = model.getGraph();
    Map<String, TensorProto> constants = new LinkedHashMap<>();
    for (TensorProto tensor : graph.getInitializerList()) {
      constants.put(tensor.getName(), tensor);
    }
    List<ValueInfoProto> inputs =
        graph.getInputList().stream().filter(i -> !constants.containsKey(i.getName())).toList();
    if (inputs.size() != 1) {
      throw invalid(
          "the model has %d inputs: a classification network with one image input is needed"
              .formatted(inputs.size()));
    }
    if (graph.getOutputCount() == 0) {
      throw invalid("the model has no output: it may be cut off");
    }
    List<NodeProto> nodes = sorted(graph.getNodeList());
    String scores = ScoreOutput.of(graph, nodes);
    GraphDraft draft =
        new GraphDraft(
            withoutTensors(model),
            new ArrayList<>(nodes),
            constants,
            inputs.get(0),
            scores,
            graph.getOutputList().stream()
                .map(ValueInfoProto::getName)
                .filter(output -> !output.equals(scores))
                .toList(),
            mostBytes,
            cancelled);
    draft.giveNames();
    ConstantFolding.apply(draft);
    draft.prune();
    ConstantBytes.requireFew(draft);
    return draft;
  }

  private static ModelProto withoutTensors(ModelProto model) {
    ModelProto.Builder bare = model.toBuilder();
    bare.getGraphBuilder().clearInitializer().clearSparseInitializer().clearNode();
    return bare.build();
  }

  /** Nodes so that each comes after those it reads from; a stable order. */
  private static List<NodeProto> sorted(List<NodeProto> nodes) {
    Map<String, Integer> writers = new HashMap<>();
    for (int i = 0; i < nodes.size(); i++) {
      for (String name : nodes.get(i).getOutputList()) {
        if (!name.isEmpty() && writers.put(name, i) != null) {
          throw invalid("tensor '" + name + "' is written by two nodes");
        }
      }
    }
    boolean inOrder = true;
    for (int i = 0; i < nodes.size() && inOrder; i++) {
      for (String name : Nodes.reads(nodes.get(i))) {
        inOrder &= writers.getOrDefault(name, -1) < i;
      }
    }
    return inOrder ? nodes : kahn(nodes, writers);
  }

  /** Kahn's algorithm; of the nodes that are ready the first in the file comes first. */
  private static List<NodeProto> kahn(List<NodeProto> nodes, Map<String, Integer> writers) {
    int[] waitsFor = new int[nodes.size()];
    List<List<Integer>> readers = new ArrayList<>();
    nodes.forEach(node -> readers.add(new ArrayList<>()));
    PriorityQueue<Integer> ready = new PriorityQueue<>();
    for (int i = 0; i < nodes.size(); i++) {
      for (String name : Nodes.reads(nodes.get(i))) {
        if (writers.containsKey(name)) {
          readers.get(writers.get(name)).add(i);
          waitsFor[i]++;
        }
      }
      if (waitsFor[i] == 0) {
        ready.add(i);
      }
    }
    List<NodeProto> order = new ArrayList<>();
    while (!ready.isEmpty()) {
      int next = ready.poll();
      order.add(nodes.get(next));
      for (int reader : readers.get(next)) {
        if (--waitsFor[reader] == 0) {
          ready.add(reader);
        }
      }
    }
    if (order.size() != nodes.size()) {
      throw invalid("the graph has a cycle");
    }
    return order;
  }

  /**
   * Gives every node without a name one made of its operator and position; so too one whose name is
   * no name for people: so long that it would fill every list and policy, or with characters that a
   * terminal obeys. A node with another's name gets that name and its position.
   */
  private void giveNames() {
    Set<String> taken = new HashSet<>();
    nodes.forEach(node -> taken.add(node.getName()));
    Set<String> seen = new HashSet<>();
    for (int i = 0; i < nodes.size(); i++) {
      NodeProto node = nodes.get(i);
      String name = node.getName();
      boolean unnamed =
          name.isBlank()
              || name.length() > LONGEST_NAME
              || name.chars().anyMatch(Character::isISOControl);
      if (unnamed || !seen.add(name)) {
        String made = (unnamed ? node.getOpType() : name) + "_" + i;
        while (!taken.add(made)) {
          made += "_";
        }
        seen.add(made);
        nodes.set(i, node.toBuilder().setName(made).build());
      }
    }
  }

  /** Drops nodes that the output does not need, and constants that no node reads. */
  void prune() {
    Set<String> needed = new HashSet<>(Set.of(output));
    for (int i = nodes.size() - 1; i >= 0; i--) {
      if (nodes.get(i).getOutputList().stream().anyMatch(needed::contains)) {
        needed.addAll(Nodes.reads(nodes.get(i)));
      } else {
        nodes.remove(i);
      }
    }
    constants.keySet().retainAll(needed);
  }

  /** The position of the only reader of each tensor that has one and is not the output. */
  Map<String, Integer> onlyReaders() {
    Map<String, Integer> only = new HashMap<>();
    Set<String> shared = new HashSet<>(Set.of(output));
    for (int i = 0; i < nodes.size(); i++) {
      for (String name : Nodes.reads(nodes.get(i))) {
        if (only.putIfAbsent(name, i) != null) {
          shared.add(name);
        }
      }
    }
    only.keySet().removeAll(shared);
    return only;
  }

  /**
   * This draft as a model.
   *
   * @param batch the size of the input's first dimension; 0 for a free one
   * @param outputs names of the tensors it returns
   */
  ModelProto toModel(long batch, List<String> outputs) {
    GraphProto.Builder graph =
        GraphProto.newBuilder()
            .setName(model.getGraph().getName().isEmpty() ? "graph" : model.getGraph().getName())
            .addAllNode(nodes)
            .addAllInitializer(constants.values())
            .addInput(withBatch(input, batch));
    for (String name : outputs) {
      graph.addOutput(ValueInfoProto.newBuilder().setName(name));
    }
    return model.toBuilder().setGraph(graph).build();
  }

  private static ValueInfoProto withBatch(ValueInfoProto input, long batch) {
    TypeProto.Tensor tensor = input.getType().getTensorType();
    TensorShapeProto.Builder shape = tensor.getShape().toBuilder();
    shape.setDim(
        0,
        batch == 0
            ? TensorShapeProto.Dimension.newBuilder().setDimParam("batch")
            : TensorShapeProto.Dimension.newBuilder().setDimValue(batch));
    return input.toBuilder()
        .setType(TypeProto.newBuilder().setTensorType(tensor.toBuilder().setShape(shape)))
        .build();
  }

  static HaqException invalid(String message) {
    return new HaqException(Reason.INVALID_MODEL, message);
  }
}
