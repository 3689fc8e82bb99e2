package dev.haq.quantizer.importing;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.FunctionProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Tensors;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Refuses, before ONNX Runtime sees them, models that would take it any amount of time or memory,
 * or end the process: loops, functions that call each other in a circle or multiply, far too many
 * nodes or outputs, tensors that hold other than what their dimensions say, or too much together.
 */
final class GraphLimits {
  /** The largest published classifiers have a few thousand. */
  static final int MOST_NODES = 20_000;

  /** Files that show what every layer computes have some hundred. */
  static final int MOST_OUTPUTS = 2_000;

  private static final int MOST_CALLS_DEEP = 100;

  /** They run as often as a number in the model says. */
  private static final Set<String> LOOPS = Set.of("Loop", "Scan", "SequenceMap");

  private final Map<String, FunctionProto> functions = new HashMap<>();
  private final Map<String, Long> expanded = new HashMap<>();
  private final Set<String> underway = new HashSet<>();
  private final long mostBytes;
  private double bytes;

  private GraphLimits(long mostBytes) {
    this.mostBytes = mostBytes;
  }

  /**
   * @param mostBytes of all tensors, written out in full, as floats
   * @return the model, unchanged
   * @throws HaqException INVALID_MODEL, UNSUPPORTED_OPERATOR or TOO_LARGE
   */
  static ModelProto checked(ModelProto model, long mostBytes) {
    GraphLimits limits = new GraphLimits(mostBytes);
    for (FunctionProto function : model.getFunctionsList()) {
      limits.functions.put(InlinedFunctions.key(function), function);
    }
    limits.check(model.getGraph());
    return model;
  }

  /** How many nodes the graph comes to, functions written out. */
  private long check(GraphProto graph) {
    if (graph.getOutputCount() > MOST_OUTPUTS) {
      throw new HaqException(
          Reason.TOO_LARGE,
          "the model has more than %d outputs: export it with its class scores alone"
              .formatted(MOST_OUTPUTS));
    }
    graph.getInitializerList().forEach(this::check);
    graph.getSparseInitializerList().forEach(sparse -> add(ConstantBytes.of(sparse)));
    return count(graph.getNodeList());
  }

  private long count(List<NodeProto> nodes) {
    long count = 0;
    for (NodeProto node : nodes) {
      count += check(node);
      if (count > MOST_NODES) {
        throw new HaqException(
            Reason.TOO_LARGE, "the model has more than %d nodes".formatted(MOST_NODES));
      }
    }
    return count;
  }

  private long check(NodeProto node) {
    if (LOOPS.contains(node.getOpType())) {
      throw new HaqException(
          Reason.UNSUPPORTED_OPERATOR,
          "node '%s' is a %s, which is not taken: export the model with its loops written out"
              .formatted(node.getName(), node.getOpType()));
    }
    long count = 1;
    for (AttributeProto attribute : node.getAttributeList()) {
      if (attribute.getGraphsCount() > 0 || (attribute.hasG() && !Nodes.is(node, "If"))) {
        throw new HaqException(
            Reason.UNSUPPORTED_OPERATOR,
            "node '%s' is a %s with a graph of its own, which only an If is taken with: export the model with its graphs written out"
                .formatted(node.getName(), node.getOpType()));
      }
      if (attribute.hasT()) {
        check(attribute.getT());
      }
      attribute.getTensorsList().forEach(this::check);
      if (attribute.hasSparseTensor()) {
        add(ConstantBytes.of(attribute.getSparseTensor()));
      }
      attribute.getSparseTensorsList().forEach(sparse -> add(ConstantBytes.of(sparse)));
      if (attribute.hasG()) {
        GraphProto branch = attribute.getG();
        // Its constants are written out as nodes (Branches).
        count += branch.getInitializerCount() + branch.getSparseInitializerCount();
        count += check(branch);
      }
    }
    return count + called(InlinedFunctions.key(node));
  }

  private long called(String name) {
    FunctionProto function = functions.get(name);
    if (function == null) {
      return 0;
    }
    Long known = expanded.get(name);
    if (known != null) {
      return known;
    }
    if (!underway.add(name)) {
      throw GraphDraft.invalid("the model's function '%s' calls itself".formatted(name));
    }
    if (underway.size() > MOST_CALLS_DEEP) {
      throw new HaqException(
          Reason.TOO_LARGE,
          "the model's functions call each other more than %d deep: export it with inlined functions"
              .formatted(MOST_CALLS_DEEP));
    }
    long count = count(function.getNodeList());
    underway.remove(name);
    expanded.put(name, count);
    return count;
  }

  private void check(TensorProto tensor) {
    Tensors.requireHeld(tensor);
    add(ConstantBytes.of(tensor));
  }

  private void add(double more) {
    bytes += more;
    ConstantBytes.require(bytes, mostBytes);
  }
}
