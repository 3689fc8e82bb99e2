package dev.haq.quantizer.onnx;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.TensorInfo;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
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
    WindowForms.check(computed, draft.constants);
    Map<String, TensorProto> values = compute(wanted);
    Set<NodeProto> replaced = new HashSet<>();
    for (NodeProto node : computed) {
      List<String> read = node.getOutputList().stream().filter(wanted::contains).toList();
      // What is of another type, such as a truth value, stays computed, and what it is made of too.
      if (!read.isEmpty() && values.keySet().containsAll(read)) {
        replaced.add(node);
        read.forEach(name -> draft.constants.put(name, values.get(name)));
      }
    }
    draft.nodes.removeAll(replaced);
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
    Map<String, TensorProto> values = new HashMap<>();
    ProbeLimits limits =
        new ProbeLimits(draft.constants, new HashMap<>(), MOST_VALUES, MOST_VALUES);
    new PiecewiseRun(draft.model, draft.constants, limits, draft.cancelled)
        .run(
            computed,
            Map.of(),
            wanted,
            (name, value) -> {
              if (wanted.contains(name)
                  && value instanceof OnnxTensor tensor
                  && isKept(tensor.getInfo())) {
                values.put(name, value(name, tensor));
              }
            });
    return values;
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
