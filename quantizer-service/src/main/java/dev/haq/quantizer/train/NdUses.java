package dev.haq.quantizer.train;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.haq.model.HaqException;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.GraphNode;
import dev.haq.quantizer.onnx.GraphNode.Other;
import dev.haq.quantizer.onnx.GraphNode.Quantizable;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Tensors;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Refuses, before anything is trained, uses of operators that {@link NdGraph} would stop at while
 * it runs: it follows what kind of value each tensor is. Values themselves are not known here, so
 * nothing is computed and the training library stays unloaded.
 */
final class NdUses {
  /** What a tensor is to the operators; see {@link NdValue}. */
  private enum Kind {
    ABSENT,
    CONSTANT,
    WHOLE,
    REAL,
    /** An output that the operators here do not compute. */
    MISSING
  }

  private final CnnGraph graph;
  private final Map<String, Kind> kinds = new HashMap<>();

  private NdUses(CnnGraph graph) {
    this.graph = graph;
    kinds.put("", Kind.ABSENT);
    kinds.put(graph.input(), Kind.REAL);
    graph
        .constants()
        .forEach(
            (name, tensor) ->
                kinds.put(name, Tensors.isFloat(tensor) ? Kind.CONSTANT : Kind.WHOLE));
  }

  /**
   * @throws HaqException UNSUPPORTED_OPERATOR naming an operator, or a use of one, that cannot be
   *     trained, and its node
   */
  static void check(CnnGraph graph) {
    NdGraph.of(graph); // the operators themselves
    NdUses uses = new NdUses(graph);
    for (GraphNode node : graph.nodes()) {
      if (node instanceof Quantizable layer) {
        uses.kinds.put(layer.output(), Kind.REAL);
      } else {
        NodeProto other = ((Other) node).node();
        try {
          uses.follow(other);
        } catch (NdOperator.UnsupportedInput e) {
          throw NdGraph.unsupported(other, e.getMessage(), e);
        }
      }
    }
  }

  private void follow(NodeProto node) {
    Kind computed = result(node);
    boolean all = node.getOpType().equals("Split");
    for (int i = 0; i < node.getOutputCount(); i++) {
      kinds.put(node.getOutput(i), i == 0 || all ? computed : Kind.MISSING);
    }
    kinds.put("", Kind.ABSENT);
  }

  private Kind result(NodeProto node) {
    Kind first = kind(node, 0);
    switch (node.getOpType()) {
      case "Shape" -> {
        real(node, 0);
        return Kind.WHOLE;
      }
      case "Gather" -> {
        TensorProto indices = graph.constants().get(Nodes.input(node, 1));
        if (kind(node, 1) != Kind.WHOLE) {
          throw new NdOperator.UnsupportedInput("with indices that are computed");
        }
        if (indices != null && indices.getDimsCount() > 1) {
          throw new NdOperator.UnsupportedInput("with indices of more than one dimension");
        }
        return first == Kind.WHOLE ? first : real(node, 0);
      }
      case "Cast" -> {
        if (NdElementwise.staysWhole(node, first == Kind.WHOLE)) {
          return Kind.WHOLE;
        }
        return first == Kind.WHOLE ? Kind.REAL : first;
      }
      case "Identity" -> {
        return first == Kind.WHOLE ? first : real(node, 0);
      }
      case "Concat" -> {
        for (int i = 0; i < node.getInputCount(); i++) {
          if (first == Kind.WHOLE) {
            whole(node, i);
          } else {
            real(node, i);
          }
        }
        return first == Kind.WHOLE ? first : Kind.REAL;
      }
      case "Add", "Sub", "Mul", "Div", "Pow" -> {
        if (first == Kind.WHOLE && kind(node, 1) == Kind.WHOLE) {
          return Kind.WHOLE;
        }
        real(node, 0);
        boolean power = node.getOpType().equals("Pow") && kind(node, 1) == Kind.WHOLE;
        return power ? Kind.REAL : real(node, 1);
      }
      case "Slice" -> {
        for (int i = 1; i < node.getInputCount(); i++) {
          whole(node, i);
        }
        TensorProto steps = graph.constants().get(Nodes.input(node, 4));
        if (steps != null && Arrays.stream(Tensors.longs(steps)).anyMatch(step -> step < 1)) {
          throw new NdOperator.UnsupportedInput("backwards");
        }
        return first == Kind.WHOLE ? first : real(node, 0);
      }
      case "Squeeze", "Unsqueeze" -> {
        whole(node, 1);
        return first == Kind.WHOLE ? first : real(node, 0);
      }
      case "Reshape", "Expand", "Tile", "Split", "ReduceMean", "ReduceSum", "ReduceMax" -> {
        whole(node, 1);
        return real(node, 0);
      }
      case "Clip" -> {
        number(node, 1);
        number(node, 2);
        return real(node, 0);
      }
      case "Pad" -> {
        String mode = Nodes.string(node, "mode", "constant");
        if (!mode.equals("constant")) {
          throw new NdOperator.UnsupportedInput("in mode " + mode);
        }
        whole(node, 1);
        number(node, 2);
        whole(node, 3);
        return real(node, 0);
      }
      case "MaxPool", "AveragePool" -> {
        if (Arrays.stream(Nodes.ints(node, "dilations")).anyMatch(dilation -> dilation != 1)) {
          throw new NdOperator.UnsupportedInput("with dilations");
        }
        return real(node, 0);
      }
      case "Dropout" -> {
        return real(node, 0);
      }
      default -> {
        for (int i = 0; i < node.getInputCount(); i++) {
          real(node, i);
        }
        return Kind.REAL;
      }
    }
  }

  private Kind kind(NodeProto node, int input) {
    Kind kind = kinds.getOrDefault(Nodes.input(node, input), Kind.MISSING);
    if (kind == Kind.MISSING) {
      throw new NdOperator.UnsupportedInput(
          "that reads '%s', an output which is not computed here,"
              .formatted(Nodes.input(node, input)));
    }
    return kind;
  }

  private Kind real(NodeProto node, int input) {
    if (!List.of(Kind.REAL, Kind.CONSTANT).contains(kind(node, input))) {
      throw new NdOperator.UnsupportedInput(
          "where input " + input + " is no tensor of real numbers");
    }
    return Kind.REAL;
  }

  private void whole(NodeProto node, int input) {
    if (!List.of(Kind.WHOLE, Kind.ABSENT).contains(kind(node, input))) {
      throw new NdOperator.UnsupportedInput(
          "where input " + input + " holds no whole numbers known beforehand");
    }
  }

  private void number(NodeProto node, int input) {
    TensorProto tensor = graph.constants().get(Nodes.input(node, input));
    boolean one =
        kind(node, input) == Kind.CONSTANT && tensor != null && Tensors.elements(tensor) == 1;
    if (!one && kind(node, input) != Kind.ABSENT) {
      throw new NdOperator.UnsupportedInput(
          "where input " + input + " is no constant of one value");
    }
  }
}
