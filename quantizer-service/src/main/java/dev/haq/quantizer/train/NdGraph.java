package dev.haq.quantizer.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.GraphNode;
import dev.haq.quantizer.onnx.GraphNode.Other;
import dev.haq.quantizer.onnx.GraphNode.Quantizable;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Tensors;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A network run operator by operator on the training library, so that gradients pass through it.
 * What its quantizable layers do is the caller's: see {@link Layers}.
 */
final class NdGraph {
  private static final Map<String, NdOperator> OPERATORS = new HashMap<>();

  static {
    NdElementwise.register(OPERATORS);
    NdWindows.register(OPERATORS);
    NdShapes.register(OPERATORS);
    NdMoves.register(OPERATORS);
    NdNorms.register(OPERATORS);
  }

  private final CnnGraph graph;
  private final List<Step> steps = new ArrayList<>();
  private final Map<String, NdValue> constants = new HashMap<>();

  /**
   * @param layer of a quantizable layer, its place among these; else -1
   * @param last tensors that nothing after this reads
   */
  private record Step(GraphNode node, NdOperator operator, int layer, List<String> last) {}

  /** How quantizable layers are computed. */
  interface Layers {
    /**
     * @param index of the layer among the network's
     * @param input [batch, ...]
     * @return its output, bias added
     */
    NDArray apply(int index, Quantizable layer, NDArray input);
  }

  private NdGraph(CnnGraph graph) {
    this.graph = graph;
  }

  /**
   * @throws HaqException UNSUPPORTED_OPERATOR naming an operator that cannot be trained, and its
   *     node
   */
  static NdGraph of(CnnGraph graph) {
    NdGraph result = new NdGraph(graph);
    Set<String> later = new HashSet<>(Set.of(graph.output()));
    for (int i = graph.nodes().size() - 1; i >= 0; i--) {
      GraphNode node = graph.nodes().get(i);
      List<String> last = node.inputs().stream().distinct().filter(later::add).toList();
      result.steps.add(0, new Step(node, operator(node), -1, last));
    }
    int layer = 0;
    for (int i = 0; i < result.steps.size(); i++) {
      Step step = result.steps.get(i);
      if (step.node() instanceof Quantizable) {
        result.steps.set(i, new Step(step.node(), step.operator(), layer++, step.last()));
      }
    }
    graph.constants().forEach((name, tensor) -> result.constants.put(name, constant(tensor)));
    return result;
  }

  private static NdOperator operator(GraphNode node) {
    if (!(node instanceof Other other)) {
      return null;
    }
    NdOperator operator = OPERATORS.get(other.node().getOpType());
    if (operator == null || !Nodes.is(other.node(), other.node().getOpType())) {
      throw unsupported(other.node(), "", null);
    }
    return operator;
  }

  private static NdValue constant(TensorProto tensor) {
    if (Tensors.isFloat(tensor)) {
      long[] dims = tensor.getDimsList().stream().mapToLong(Long::longValue).toArray();
      return new NdValue.Constant(Tensors.floats(tensor), new Shape(dims));
    }
    return new NdValue.Whole(Tensors.longs(tensor), tensor.getDimsCount() == 0);
  }

  static HaqException unsupported(NodeProto node, String use, Throwable cause) {
    return new HaqException(
        Reason.UNSUPPORTED_OPERATOR,
        "operator %s%s (node '%s') cannot be fine-tuned: search this model with a recipe without fine-tuning"
            .formatted(node.getOpType(), use.isEmpty() ? "" : " " + use, node.getName()),
        Map.of("operator", node.getOpType(), "node", node.getName()),
        cause);
  }

  /** Operators' usual answer. */
  static List<NdValue> one(NDArray array) {
    return List.of(new NdValue.Real(array));
  }

  /**
   * Runs the network.
   *
   * @param images [batch, channels, height, width]; its manager owns what is computed. It stays
   *     open
   * @return the class scores [batch, classes]
   */
  NDArray run(NDArray images, Layers layers) {
    Run run = new Run(images);
    run.put(graph.input(), new NdValue.Real(images));
    for (Step step : steps) {
      if (step.node() instanceof Quantizable layer) {
        NDArray output = layers.apply(step.layer(), layer, run.real(layer.input()));
        run.put(layer.output(), new NdValue.Real(output));
      } else {
        run.apply(((Other) step.node()).node(), step.operator());
      }
      step.last().forEach(run::drop);
    }
    return run.real(graph.output()).reshape(images.getShape().get(0), graph.classes());
  }

  /**
   * The tensors of one run. An array that was computed is closed once nothing reads it under any of
   * its names: operators such as Cast answer the array that they are given.
   */
  private final class Run {
    private final NDManager manager;
    final Map<String, NdValue> values = new HashMap<>(constants);
    private final IdentityHashMap<NDArray, Integer> names = new IdentityHashMap<>();

    Run(NDArray images) {
      this.manager = images.getManager();
      names.put(images, 1); // the caller's own name for them, which is never dropped
    }

    NDArray real(String tensor) {
      return ((NdValue.Real) values.get(tensor)).array();
    }

    void put(String tensor, NdValue value) {
      values.put(tensor, value);
      if (value instanceof NdValue.Real real) {
        real.array().attach(manager);
        names.merge(real.array(), 1, Integer::sum);
      }
    }

    void drop(String tensor) {
      if (values.remove(tensor) instanceof NdValue.Real real
          && names.merge(real.array(), -1, Integer::sum) == 0) {
        real.array().close();
      }
    }

    void apply(NodeProto node, NdOperator operator) {
      List<NdValue> inputs = new ArrayList<>();
      for (String name : node.getInputList()) {
        inputs.add(name.isEmpty() ? new NdValue.Absent() : values.get(name));
      }
      try {
        List<NdValue> outputs = operator.apply(node, new NdOperator.Inputs(inputs, manager));
        for (int i = 0; i < node.getOutputCount() && i < outputs.size(); i++) {
          if (!node.getOutput(i).isEmpty()) {
            put(node.getOutput(i), outputs.get(i));
          }
        }
      } catch (NdOperator.UnsupportedInput e) {
        throw unsupported(node, e.getMessage(), e);
      }
    }
  }
}
