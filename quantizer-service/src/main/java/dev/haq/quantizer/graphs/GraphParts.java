package dev.haq.quantizer.graphs;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.GraphNode;
import dev.haq.quantizer.onnx.GraphNode.Other;
import dev.haq.quantizer.onnx.GraphNode.Quantizable;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Ort;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;

/**
 * A network cut between two nodes, so that it can be run from there on: cut {@code p} comes before
 * node {@code p}. What crosses a cut is every tensor that was computed before it and is read after
 * it, skip connections included. Safe for use by many threads.
 */
public final class GraphParts {
  private final CnnGraph graph;
  private final List<LayerForm> forms;
  private final List<Set<String>> crossing; // by cut, 0..nodes
  private final Map<String, ValueInfoProto> declared = new HashMap<>();

  /**
   * @param forms how the layers are computed, in the order of {@link CnnGraph#layers}
   */
  public GraphParts(CnnGraph graph, List<LayerForm> forms) {
    this.graph = graph;
    this.forms = List.copyOf(forms);
    this.crossing = crossing(graph);
    declared.put(graph.input(), new GraphBuilder(graph).input());
  }

  private static List<Set<String>> crossing(CnnGraph graph) {
    int nodes = graph.nodes().size();
    List<Set<String>> crossing = new ArrayList<>(java.util.Collections.nCopies(nodes + 1, null));
    Set<String> read = new HashSet<>(Set.of(graph.output()));
    Set<String> computed = new HashSet<>(Set.of(graph.input()));
    graph.nodes().forEach(node -> computed.addAll(node.outputs()));
    for (int p = nodes; p >= 0; p--) {
      if (p < nodes) {
        GraphNode node = graph.nodes().get(p);
        node.outputs().forEach(computed::remove);
        read.addAll(node instanceof Other other ? Nodes.reads(other.node()) : node.inputs());
      }
      Set<String> both = new HashSet<>(read);
      both.retainAll(computed);
      crossing.set(p, Set.copyOf(both));
    }
    return List.copyOf(crossing);
  }

  /** The cut before a layer's node. */
  public int before(int layer) {
    return graph.nodes().indexOf(graph.layers().get(layer));
  }

  /** The cut after the last node, which the class scores alone cross. */
  public int end() {
    return graph.nodes().size();
  }

  /** Names of the tensors that cross. */
  public Set<String> crossing(int cut) {
    return crossing.get(cut);
  }

  /** Bytes of what crosses, for one image; empty where a tensor's size is not known. */
  public OptionalLong bytes(int cut) {
    long sum = 0;
    for (String tensor : crossing(cut)) {
      List<Integer> shape = graph.shapes().get(tensor);
      if (shape == null) {
        return OptionalLong.empty();
      }
      sum += shape.stream().mapToLong(Integer::longValue).reduce(Float.BYTES, (a, b) -> a * b);
    }
    return OptionalLong.of(sum);
  }

  /**
   * Computes what crosses cut {@code to} of what crosses cut {@code from}; what crosses both is not
   * among its outputs.
   */
  public ModelProto between(int from, int to) {
    GraphBuilder builder = new GraphBuilder(graph);
    int layer = 0;
    for (int p = 0; p < to; p++) {
      GraphNode node = graph.nodes().get(p);
      if (node instanceof Quantizable quantizable) {
        if (p >= from) {
          FakeQuantizedGraph.write(builder, quantizable, forms.get(layer));
        }
        layer++;
      } else if (p >= from) {
        builder.add(((Other) node).node());
      }
    }
    Set<String> outputs = new HashSet<>(crossing(to));
    outputs.removeAll(crossing(from));
    return builder.build(outputs.stream().sorted().toList(), declarations(crossing(from)));
  }

  /** Computes one layer in another form, of its input. */
  public ModelProto alone(int layer, LayerForm form) {
    Quantizable quantizable = graph.layers().get(layer);
    GraphBuilder builder = new GraphBuilder(graph);
    FakeQuantizedGraph.write(builder, quantizable, form);
    return builder.build(List.of(quantizable.output()), declarations(Set.of(quantizable.input())));
  }

  private synchronized List<ValueInfoProto> declarations(Collection<String> tensors) {
    return tensors.stream().sorted().map(declared::get).toList();
  }

  /**
   * Takes from an open session what its outputs are: parts that read them need to be told. To be
   * called for every part before a later one is written.
   */
  public synchronized void learnFrom(OrtSession session) throws OrtException {
    for (Map.Entry<String, NodeInfo> output : session.getOutputInfo().entrySet()) {
      if (output.getValue().getInfo() instanceof TensorInfo info) {
        declared.put(output.getKey(), declared(output.getKey(), info));
      }
    }
  }

  private ValueInfoProto declared(String name, TensorInfo info) {
    List<Integer> seen = graph.shapes().get(name);
    boolean ranked = seen != null && seen.size() == info.getShape().length;
    ValueInfoProto declaration = Ort.declaration(name, info);
    if (ranked) {
      return declaration;
    }
    // ONNX Runtime does not know its rank.
    ValueInfoProto.Builder bare = declaration.toBuilder();
    bare.getTypeBuilder().getTensorTypeBuilder().clearShape();
    return bare.build();
  }
}
