package dev.haq.quantizer.importing;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Ort;
import dev.haq.quantizer.onnx.Tensors;
import dev.haq.quantizer.sharing.Waits;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/**
 * Runs nodes of a model that nobody has run before, so that no operator makes more values than
 * {@link ProbeLimits} lets it. Sizes are inferred; where that ends, at a Reshape to computed sizes
 * or an operator whose result depends on values, the nodes are cut in pieces, and the sizes of the
 * next are inferred from what those before came to. Numbers that sizes are made of are then
 * constants. Most models are one piece.
 */
final class PiecewiseRun {
  /** Of constants that more than one piece reads. */
  private static final long MOST_BYTES_AGAIN = 1L << 30;

  /** A tensor of fewer may hold sizes: those of two tensors, each at the front and at the back. */
  private static final int MOST_SIZES = 32;

  private final ModelProto model;
  private final Map<String, TensorProto> constants;
  private final ProbeLimits limits;
  private final BooleanSupplier cancelled;
  private final Map<String, OnnxValue> held = new HashMap<>();

  /** Is shown a result, which is closed afterwards. */
  interface Sink {
    void take(String name, OnnxValue value) throws OrtException;
  }

  /**
   * @param model its operator sets; what it computes does not count
   * @param cancelled asked before each piece whether nobody waits for it any more
   */
  PiecewiseRun(
      ModelProto model,
      Map<String, TensorProto> constants,
      ProbeLimits limits,
      BooleanSupplier cancelled) {
    this.cancelled = cancelled;
    this.model = model;
    this.constants = constants;
    this.limits = limits;
  }

  /**
   * @param nodes in topological order
   * @param inputs are closed afterwards
   * @param wanted results that the sink is shown, and besides all whose size cannot be inferred
   * @throws HaqException TOO_LARGE, UNSUPPORTED_OPERATOR, INVALID_MODEL or CANCELLED
   */
  void run(List<NodeProto> nodes, Map<String, OnnxTensor> inputs, Set<String> wanted, Sink sink) {
    held.putAll(inputs);
    try {
      Set<String> unknown = inferred(nodes);
      List<List<NodeProto>> pieces = limits.pieces(nodes, unknown);
      requireFewBytesAgain(pieces);
      Map<String, Integer> lastReader = lastReader(pieces);
      for (int p = 0; p < pieces.size(); p++) {
        Waits.throwIf(cancelled);
        List<NodeProto> piece = pieces.get(p);
        if (pieces.size() > 1) {
          unknown = inferred(piece);
        }
        limits.requireBounded(piece.get(0), unknown);
        Set<String> shown = new HashSet<>(wanted);
        shown.addAll(unknown);
        int now = p;
        run(piece, shown, name -> lastReader.getOrDefault(name, now) > now, sink);
      }
    } catch (OrtException e) {
      throw Ort.refused(e);
    } finally {
      held.values().forEach(OnnxValue::close);
      held.clear();
    }
  }

  private void run(
      List<NodeProto> piece, Set<String> shown, Predicate<String> isReadLater, Sink sink)
      throws OrtException {
    Set<String> outputs = results(piece);
    outputs.removeIf(name -> !shown.contains(name) && !isReadLater.test(name));
    if (outputs.isEmpty()) {
      return;
    }
    limits.requireFewAtOnce(piece, outputs, held.keySet().stream().mapToDouble(limits::size).sum());
    compute(piece, outputs);
    for (String output : outputs) {
      if (shown.contains(output)) {
        sink.take(output, held.get(output));
      }
    }
    Set<String> done = reads(piece);
    done.addAll(outputs);
    done.retainAll(held.keySet());
    done.removeIf(isReadLater);
    done.forEach(name -> held.remove(name).close());
  }

  /** Which piece is the last to read a tensor. */
  private static Map<String, Integer> lastReader(List<List<NodeProto>> pieces) {
    Map<String, Integer> last = new HashMap<>();
    for (int p = 0; p < pieces.size(); p++) {
      for (String name : reads(pieces.get(p))) {
        last.put(name, p);
      }
    }
    return last;
  }

  /** Every piece's session copies the constants that it reads. */
  private void requireFewBytesAgain(List<List<NodeProto>> pieces) {
    Set<String> seen = new HashSet<>();
    long again = 0;
    for (List<NodeProto> piece : pieces) {
      for (String name : reads(piece)) {
        if (constants.containsKey(name) && !seen.add(name)) {
          again += Tensors.bytes(constants.get(name));
        }
      }
    }
    if (again > MOST_BYTES_AGAIN) {
      throw new HaqException(
          Reason.UNSUPPORTED_OPERATOR,
          "large weights are read by many operators whose results' sizes are not known before they run: export the model with fixed sizes");
    }
  }

  private static Set<String> reads(List<NodeProto> nodes) {
    Set<String> names = new LinkedHashSet<>();
    nodes.forEach(node -> names.addAll(Nodes.reads(node)));
    return names;
  }

  private static Set<String> results(List<NodeProto> nodes) {
    Set<String> names = new LinkedHashSet<>();
    nodes.forEach(node -> names.addAll(node.getOutputList()));
    names.remove("");
    return names;
  }

  /** Nothing is run, for ONNX Runtime would keep all outputs until the end. */
  private Set<String> inferred(List<NodeProto> nodes) throws OrtException {
    List<NodeProto> all = Branches.writtenOut(nodes);
    try (OrtSession unrun = Ort.open(toModel(all, results(all)), Ort.Rewriting.PROBE)) {
      return limits.check(all, unrun);
    }
  }

  private void compute(List<NodeProto> piece, Set<String> outputs) throws OrtException {
    Map<String, OnnxTensor> inputs = new HashMap<>();
    for (String name : reads(piece)) {
      if (held.containsKey(name) && sizes(name).isEmpty()) {
        inputs.put(name, tensor(name));
      }
    }
    try (OrtSession session = Ort.openForKeeping(toModel(piece, outputs), Ort.Rewriting.PROBE)) {
      for (Map.Entry<String, OnnxValue> result : session.run(inputs)) {
        held.put(result.getKey(), result.getValue());
        if (result.getValue().getInfo() instanceof TensorInfo info) {
          limits.learn(result.getKey(), info);
        }
      }
    }
    limits.addLearnt(piece);
  }

  private ModelProto toModel(List<NodeProto> nodes, Set<String> outputs) {
    GraphProto.Builder graph = GraphProto.newBuilder().setName("piece").addAllNode(nodes);
    for (String name : reads(nodes)) {
      Optional<TensorProto> sizes = held.containsKey(name) ? sizes(name) : Optional.empty();
      if (sizes.isPresent()) {
        graph.addInitializer(sizes.get());
      } else if (held.containsKey(name)) {
        graph.addInput(Ort.declaration(name, tensor(name).getInfo()));
      } else if (constants.containsKey(name)) {
        graph.addInitializer(constants.get(name));
      }
    }
    outputs.forEach(name -> graph.addOutput(ValueInfoProto.newBuilder().setName(name)));
    return model.toBuilder().setGraph(graph).build();
  }

  /** A tensor that was computed as a constant, where it is so small that it may hold sizes. */
  private Optional<TensorProto> sizes(String name) {
    if (!(held.get(name) instanceof OnnxTensor tensor)
        || tensor.getInfo().type != OnnxJavaType.INT64
        || tensor.getInfo().getNumElements() > MOST_SIZES) {
      return Optional.empty();
    }
    LongBuffer buffer = tensor.getLongBuffer();
    long[] values = new long[buffer.remaining()];
    buffer.get(values);
    int[] dims = Arrays.stream(tensor.getInfo().getShape()).mapToInt(Math::toIntExact).toArray();
    return Optional.of(Tensors.of(name, values, dims));
  }

  private OnnxTensor tensor(String name) {
    if (held.get(name) instanceof OnnxTensor tensor) {
      return tensor;
    }
    throw new HaqException(
        Reason.UNSUPPORTED_OPERATOR,
        "'%s' is a sequence of tensors whose sizes are not known before it is made: export the model with fixed sizes"
            .formatted(name));
  }
}
