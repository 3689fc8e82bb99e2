package dev.haq.quantizer.importing;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.TensorInfo;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Tensors;
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
  private double bytes; // of what others read

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
      Set<String> reads = Nodes.reads(node);
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
    ProbeLimits limits = ProbeLimits.ofConstants(draft.constants, draft.mostBytes);
    new PiecewiseRun(draft.model, draft.constants, limits, draft.cancelled)
        .run(
            computed,
            Map.of(),
            wanted,
            (name, value) -> {
              if (wanted.contains(name)
                  && value instanceof OnnxTensor tensor
                  && isKept(tensor.getInfo())) {
                bytes += (double) tensor.getInfo().getNumElements() * tensor.getInfo().type.size;
                ConstantBytes.require(bytes, draft.mostBytes);
                values.put(name, value(name, tensor));
              }
            });
    return values;
  }

  private static boolean isKept(TensorInfo info) {
    return info.type == OnnxJavaType.FLOAT || info.type == OnnxJavaType.INT64;
  }

  private static TensorProto value(String name, OnnxTensor tensor) {
    TensorInfo info = tensor.getInfo();
    int[] dims = ShapeProbe.toInts(info.getShape()).stream().mapToInt(d -> d).toArray();
    DataType type = info.type == OnnxJavaType.INT64 ? DataType.INT64 : DataType.FLOAT;
    return Tensors.of(name, type, tensor.getByteBuffer(), dims); // a copy, the only one
  }
}
