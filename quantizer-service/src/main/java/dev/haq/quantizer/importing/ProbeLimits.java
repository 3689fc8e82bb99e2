package dev.haq.quantizer.importing;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.quantizer.onnx.Nodes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What one image, or what is computed of constants, may cost, checked on the shapes that ONNX
 * Runtime infers when it opens a model, or a piece of it, before anything of that is computed:
 * values held at once, and multiplications.
 */
final class ProbeLimits {
  /**
   * How many values of 4 bytes there may be; wider ones count as more.
   *
   * @param tensor in one
   * @param atOnce held by ONNX Runtime at once
   * @param together in all, which bounds the time that copying operators take
   * @param refused what to say where there is more, with what that is
   */
  private record Bounds(double tensor, double atOnce, double together, String refused) {
    HaqException refuse(NodeProto node, String what) {
      return new HaqException(
          Reason.TOO_LARGE,
          "at node '%s' (%s) ".formatted(node.getName(), node.getOpType())
              + refused.formatted(what));
    }
  }

  /**
   * Of one image: 128 MiB a tensor, 512 MiB at once, of two images at most; a network of 224x224
   * pixels has tensors of about a million values.
   */
  private static final Bounds OF_IMAGE =
      new Bounds(
          1L << 25,
          1L << 27,
          1L << 31,
          "one image has come to %s, more than is taken: export the model with a smaller image size");

  /** Constants of fewer bytes are computed however few a model may have. */
  private static final long FEW_BYTES = 16 << 20;

  /** 1 GiB as floats: the weights of VGG-19 are half of it. */
  private static final double MOST_OF_CONSTANTS = 1L << 28;

  /** Of one image. EfficientNet-B7 takes 4e10. */
  private static final double MOST_PRODUCTS = 1e12;

  /** Each takes 1 ms. A transformer of which no size is known has some tens in every block. */
  private static final int MOST_PIECES = 4000;

  private final Map<String, List<Integer>> shapes;
  private final Map<String, Double> sizes = new HashMap<>(); // in values of 4 bytes
  private final Bounds bounds;
  private final NodeWork work;
  private final ResultBounds results;
  private final Set<String> counted = new HashSet<>();
  private final Set<String> sequences = new HashSet<>();
  private double values;
  private double products;

  private ProbeLimits(
      Map<String, TensorProto> constants, Map<String, List<Integer>> shapes, Bounds bounds) {
    this.shapes = shapes;
    this.work = new NodeWork(constants, shapes);
    this.results = new ResultBounds(constants, shapes);
    this.bounds = bounds;
  }

  /**
   * For one image.
   *
   * @param shapes of what is known; gets those that are inferred
   */
  static ProbeLimits ofImage(
      Map<String, TensorProto> constants, Map<String, List<Integer>> shapes) {
    return new ProbeLimits(constants, shapes, OF_IMAGE);
  }

  /**
   * For what is computed of constants.
   *
   * @param mostBytes as many as the model's constants may come to: no tensor may have more, and at
   *     once there may be twice as many
   */
  static ProbeLimits ofConstants(Map<String, TensorProto> constants, long mostBytes) {
    double values = Math.max(mostBytes, FEW_BYTES) / (double) Float.BYTES;
    String setting =
        values < MOST_OF_CONSTANTS
            ? " of a model that may have %d bytes (limits.model-bytes)".formatted(mostBytes)
            : "";
    return new ProbeLimits(
        constants,
        new HashMap<>(),
        new Bounds(
            Math.min(values, MOST_OF_CONSTANTS),
            Math.min(2 * values, MOST_OF_CONSTANTS),
            MOST_OF_CONSTANTS,
            "what is computed of constants has come to %s, more than is taken"
                + setting
                + ": export it with fewer or smaller constants"));
  }

  /**
   * Takes what is inferred, and adds up what was not known before.
   *
   * @param session with all that the nodes compute as its outputs
   * @return tensors whose shape is not inferred
   * @throws HaqException TOO_LARGE
   */
  Set<String> check(List<NodeProto> nodes, OrtSession session) throws OrtException {
    Map<String, NodeInfo> inferred = session.getOutputInfo();
    Set<String> unknown = new HashSet<>();
    for (NodeProto node : nodes) {
      for (String output : node.getOutputList()) {
        if (output.isEmpty() || shapes.containsKey(output)) {
          continue;
        }
        TensorInfo info =
            inferred.get(output).getInfo() instanceof TensorInfo tensor ? tensor : null;
        if (info != null && info.type == OnnxJavaType.STRING) {
          refuseText(node);
        }
        if (info != null && isKnown(info.getShape())) {
          add(node, output, info);
        } else {
          if (info == null) {
            sequences.add(output);
          }
          results.learn(node, inferred);
          unknown.add(output);
        }
      }
      addWork(node);
    }
    return unknown;
  }

  /** What a tensor that was computed came to. */
  void learn(String tensor, TensorInfo info) {
    if (shapes.putIfAbsent(tensor, ShapeProbe.toInts(info.getShape())) == null) {
      sizes.put(tensor, size(info));
      values += size(info);
    }
  }

  /**
   * How many values of 4 bytes a tensor comes to that is computed, or at most a sequence of them; 0
   * where that is not known.
   */
  double size(String tensor) {
    Double size = sizes.get(tensor);
    List<Integer> shape = shapes.get(tensor);
    return size != null ? size : shape == null ? 0 : size(shape);
  }

  /**
   * Refuses nodes that hold too much at once, for all that is known of them.
   *
   * @param kept what they compute that is kept until they have run
   * @param besides values that are held meanwhile, what they read included
   * @throws HaqException TOO_LARGE
   */
  void requireFewAtOnce(List<NodeProto> nodes, Set<String> kept, double besides) {
    if (nodes.isEmpty()) {
      return;
    }
    HeldAtOnce.Peak peak = HeldAtOnce.of(nodes, this::size, this::beside, kept);
    double most = besides + peak.values();
    if (most > bounds.atOnce()) {
      throw bounds.refuse(peak.node(), "%.0f bytes held at once".formatted(Float.BYTES * most));
    }
  }

  /** Of branches all that is in them. */
  private double beside(NodeProto node) {
    double beside = work.beside(node);
    for (NodeProto inner : Branches.of(node)) {
      if (!Nodes.is(inner, "Constant")) {
        beside += work.beside(inner) + inner.getOutputList().stream().mapToDouble(this::size).sum();
      }
    }
    return beside;
  }

  /**
   * Adds up what was not known of nodes before they were run.
   *
   * @throws HaqException TOO_LARGE
   */
  void addLearnt(List<NodeProto> nodes) {
    for (NodeProto node : nodes) {
      addWork(node);
      if (values > bounds.together()) {
        throw tooLarge(node);
      }
    }
  }

  private static double size(TensorInfo info) {
    double values =
        Arrays.stream(info.getShape()).mapToDouble(dim -> dim).reduce(1, (a, b) -> a * b);
    return values * Math.max(1, info.type.size / (double) Float.BYTES);
  }

  private static double size(List<Integer> shape) {
    return shape.stream().mapToDouble(dim -> dim).reduce(1, (a, b) -> a * b);
  }

  private void add(NodeProto node, String output, TensorInfo info) {
    double size = size(info);
    if (Nodes.is(node, "Constant")) { // counted with the model's constants
      shapes.put(output, ShapeProbe.toInts(info.getShape()));
      return;
    }
    values += size;
    if (size > bounds.tensor() || values > bounds.together()) {
      throw tooLarge(node);
    }
    shapes.put(output, ShapeProbe.toInts(info.getShape()));
    sizes.put(output, size);
  }

  /** A text is as long as it likes, and joined with itself twice as long. */
  private static void refuseText(NodeProto node) {
    if (!Nodes.is(node, "Constant")) {
      throw new HaqException(
          Reason.UNSUPPORTED_OPERATOR,
          "node '%s' is a %s that computes text: export the model without it"
              .formatted(node.getName(), node.getOpType()));
    }
  }

  /**
   * Once for each node: where shapes that its work depends on are not known yet, with the piece
   * that it is run in, or after that.
   */
  private void addWork(NodeProto node) {
    double each = work.of(node);
    if (Double.isFinite(each) && counted.addAll(node.getOutputList())) {
      products += each;
      if (products > MOST_PRODUCTS) {
        throw tooLarge(node);
      }
    }
  }

  private HaqException tooLarge(NodeProto node) {
    return bounds.refuse(
        node, "%.0f bytes and %.0f multiplications".formatted(Float.BYTES * values, products));
  }

  private static HaqException unknownSize(NodeProto node) {
    return new HaqException(
        Reason.UNSUPPORTED_OPERATOR,
        "node '%s' is a %s whose result's size is not known before it runs: export the model with fixed sizes"
            .formatted(node.getName(), node.getOpType()));
  }

  /**
   * Cuts before every operator whose result, with those before it in its piece, may be too large
   * for all that is known of what it reads, whose work is not known though its result's shape is,
   * or that has branches of which not all is known. There that will be known.
   *
   * @param unknown tensors whose shape is not inferred
   * @throws HaqException UNSUPPORTED_OPERATOR where that is too many
   */
  List<List<NodeProto>> pieces(List<NodeProto> nodes, Set<String> unknown) {
    Map<String, Double> most = new HashMap<>();
    List<List<NodeProto>> pieces = new ArrayList<>();
    List<NodeProto> piece = new ArrayList<>();
    double sum = 0;
    for (NodeProto node : nodes) {
      List<NodeProto> inner = Branches.of(node);
      boolean innerUnknown = inner.stream().anyMatch(n -> !isCounted(n, unknown));
      if (innerUnknown || node.getOutputList().stream().anyMatch(unknown::contains)) {
        double bound = innerUnknown ? Double.POSITIVE_INFINITY : results.of(node, most);
        if (sum + bound > bounds.tensor() && !piece.isEmpty()) {
          pieces.add(piece);
          piece = new ArrayList<>();
          sum = 0;
        }
        double atMost = Math.min(bound, bounds.tensor());
        for (String output : node.getOutputList()) {
          most.put(output, atMost);
          if (sequences.contains(output)) {
            sizes.put(output, atMost);
          }
        }
        sum += bound * node.getOutputCount();
      } else if (!counted.containsAll(node.getOutputList()) && !piece.isEmpty()) {
        pieces.add(piece);
        piece = new ArrayList<>();
        sum = 0;
      }
      piece.add(node);
      if (pieces.size() >= MOST_PIECES) {
        throw unknownSize(node);
      }
    }
    if (!piece.isEmpty()) {
      pieces.add(piece);
    }
    return pieces;
  }

  /**
   * Refuses the first node of a piece where sizes of all that it reads do not bound its result, or
   * what its branches compute.
   *
   * @param unknown tensors whose shape is not inferred even so
   */
  void requireBounded(NodeProto node, Set<String> unknown) {
    if (results.mayGrow(node)
        && node.getOutputList().stream().anyMatch(unknown::contains)
        && results.of(node) > bounds.tensor()) {
      throw unknownSize(node);
    }
    for (NodeProto inner : Branches.of(node)) {
      requireBoundedInner(inner, unknown);
    }
  }

  /** What it computes is not seen even when it has run, so it counts as the most that it can be. */
  private void requireBoundedInner(NodeProto node, Set<String> unknown) {
    for (String output : node.getOutputList()) {
      if (unknown.contains(output)) {
        double bound = results.of(node);
        values += bound;
        if (bound > bounds.tensor()) {
          throw unknownSize(node);
        }
        shapes.put(output, List.of((int) bound));
      }
    }
    addWork(node);
    if (!isCounted(node, Set.of())) {
      throw unknownSize(node);
    }
  }

  private boolean isCounted(NodeProto node, Set<String> unknown) {
    return counted.containsAll(node.getOutputList())
        && node.getOutputList().stream().noneMatch(unknown::contains);
  }

  /** ONNX Runtime says of a tensor of unknown rank what it says of a scalar: no dimensions. */
  private static boolean isKnown(long[] shape) {
    return shape.length > 0 && Arrays.stream(shape).allMatch(size -> size >= 0);
  }
}
