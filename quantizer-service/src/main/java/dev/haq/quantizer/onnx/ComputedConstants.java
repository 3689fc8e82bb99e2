package dev.haq.quantizer.onnx;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Replaces what a model computes from constants alone by its value: weights that are filled in,
 * reshaped, transposed, cast or dequantized. ONNX Runtime computes it, once.
 */
final class ComputedConstants {
  /** Together, 1 GiB as floats: the weights of VGG-19 are half of it. */
  private static final long MOST_VALUES = 1L << 28;

  /** Same inputs, other results. */
  private static final Set<String> RANDOM =
      Set.of(
          "RandomNormal",
          "RandomUniform",
          "RandomNormalLike",
          "RandomUniformLike",
          "Multinomial",
          "Bernoulli");

  private final GraphDraft draft;
  private final List<NodeProto> computed = new ArrayList<>();

  private ComputedConstants(GraphDraft draft) {
    this.draft = draft;
  }

  /**
   * @throws dev.haq.model.HaqException TOO_LARGE, UNSUPPORTED_OPERATOR or INVALID_MODEL
   */
  static void apply(GraphDraft draft) {
    new ComputedConstants(draft).run();
  }

  private void run() {
    Set<String> wanted = wanted();
    if (wanted.isEmpty()) {
      return;
    }
    Map<String, TensorProto> values = compute(wanted);
    for (NodeProto node : computed) {
      // What is of another type, such as a truth value, stays computed.
      if (node.getOutputList().stream().filter(wanted::contains).allMatch(values::containsKey)) {
        draft.nodes.remove(node);
        node.getOutputList().stream()
            .filter(wanted::contains)
            .forEach(name -> draft.constants.put(name, values.get(name)));
      }
    }
  }

  /** Collects the nodes that read constants alone; answers which of their results others read. */
  private Set<String> wanted() {
    Set<String> known = new HashSet<>(draft.constants.keySet());
    Set<String> read = new HashSet<>(Set.of(draft.output));
    Set<String> results = new LinkedHashSet<>();
    for (NodeProto node : draft.nodes) {
      Set<String> reads = GraphDraft.reads(node);
      if (known.containsAll(reads) && !RANDOM.contains(node.getOpType())) {
        computed.add(node);
        known.addAll(node.getOutputList());
        results.addAll(node.getOutputList());
      } else {
        read.addAll(reads);
      }
    }
    results.remove("");
    results.retainAll(read);
    return results;
  }

  private Map<String, TensorProto> compute(Set<String> wanted) {
    List<String> outputs = new ArrayList<>();
    computed.forEach(
        n -> n.getOutputList().stream().filter(o -> !o.isEmpty()).forEach(outputs::add));
    Map<String, TensorProto> values = new LinkedHashMap<>();
    try (OrtSession session = Ort.open(toModel(outputs), Ort.Rewriting.PROBE)) {
      ProbeLimits.check(
          computed, draft.constants, session, new HashMap<>(), MOST_VALUES, MOST_VALUES);
      for (String name : wanted) {
        try (OrtSession.Result result = session.run(Map.of(), Set.of(name))) {
          if (result.get(0) instanceof OnnxTensor tensor && isKept(tensor.getInfo())) {
            values.put(name, value(name, tensor));
          }
        }
      }
    } catch (OrtException e) {
      throw Ort.refused(e);
    }
    return values;
  }

  private ModelProto toModel(List<String> outputs) {
    Set<String> reads = new HashSet<>();
    computed.forEach(node -> reads.addAll(GraphDraft.reads(node)));
    GraphProto.Builder graph = GraphProto.newBuilder().setName("constants").addAllNode(computed);
    draft.constants.forEach(
        (name, tensor) -> {
          if (reads.contains(name)) {
            graph.addInitializer(tensor);
          }
        });
    outputs.forEach(name -> graph.addOutput(ValueInfoProto.newBuilder().setName(name)));
    return draft.model.toBuilder().setGraph(graph).build();
  }

  private static boolean isKept(TensorInfo info) {
    return info.type == OnnxJavaType.FLOAT || info.type == OnnxJavaType.INT64;
  }

  private static TensorProto value(String name, OnnxTensor tensor) {
    int[] dims = ShapeProbe.toInts(tensor.getInfo().getShape()).stream().mapToInt(d -> d).toArray();
    if (tensor.getInfo().type == OnnxJavaType.INT64) {
      LongBuffer buffer = tensor.getLongBuffer();
      long[] values = new long[buffer.remaining()];
      buffer.get(values);
      return Tensors.of(name, values, dims);
    }
    FloatBuffer buffer = tensor.getFloatBuffer();
    float[] values = new float[buffer.remaining()];
    buffer.get(values);
    return Tensors.of(name, values, dims);
  }
}
