package dev.haq.quantizer.importing;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.haq.quantizer.onnx.Nodes;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToDoubleFunction;

/**
 * How much ONNX Runtime holds at once while it runs some nodes: a tensor from when it is computed
 * until its last reader has run.
 *
 * <p>Its order is not that of the file. It goes backwards from the nodes that nobody reads, the
 * last of them first, and again from the last of what a node reads, and runs a node once all that
 * is done (1.26, {@code Graph::ReverseDFSFrom} as {@code GraphViewer} calls it). So of a sum that
 * is made step by step, of each value with the sum so far, it may compute all values before the
 * first sum.
 */
final class HeldAtOnce {
  private final List<NodeProto> nodes;
  private final Map<String, Integer> writer = new HashMap<>(); // of a tensor
  private final List<int[]> writers = new ArrayList<>(); // of what a node reads, ascending
  private final int[] readers; // how many nodes read of a node

  HeldAtOnce(List<NodeProto> nodes) {
    this.nodes = nodes;
    this.readers = new int[nodes.size()];
    for (int i = 0; i < nodes.size(); i++) {
      for (String output : nodes.get(i).getOutputList()) {
        writer.put(output, i);
      }
    }
    for (NodeProto node : nodes) {
      int[] from =
          Nodes.reads(node).stream()
              .filter(writer::containsKey)
              .mapToInt(writer::get)
              .distinct()
              .sorted()
              .toArray();
      writers.add(from);
      Arrays.stream(from).forEach(i -> readers[i]++);
    }
  }

  /** How much is held, in the unit of the sizes, and while which node runs. */
  record Peak(double values, NodeProto node) {}

  /**
   * The most at once; what the first nodes read is not counted.
   *
   * @param nodes at least one, in topological order
   * @param size of a tensor
   * @param beside what a node holds while it runs, besides its results
   * @param kept tensors that are kept to the end
   */
  static Peak of(
      List<NodeProto> nodes,
      ToDoubleFunction<String> size,
      ToDoubleFunction<NodeProto> beside,
      Set<String> kept) {
    return new HeldAtOnce(nodes).peak(size, beside, kept);
  }

  private Peak peak(
      ToDoubleFunction<String> size, ToDoubleFunction<NodeProto> beside, Set<String> kept) {
    Map<String, Integer> left = new HashMap<>();
    for (NodeProto node : nodes) {
      Nodes.reads(node).forEach(name -> left.merge(name, 1, Integer::sum));
    }
    double held = 0;
    Peak peak = new Peak(0, nodes.get(0));
    for (NodeProto node : order()) {
      Set<String> done = new HashSet<>(node.getOutputList());
      for (String output : done) {
        held += size.applyAsDouble(output);
      }
      double now = held + beside.applyAsDouble(node);
      peak = now > peak.values() ? new Peak(now, node) : peak;
      done.removeIf(left::containsKey);
      for (String name : Nodes.reads(node)) {
        if (left.merge(name, -1, Integer::sum) == 0 && writer.containsKey(name)) {
          done.add(name);
        }
      }
      done.removeAll(kept);
      for (String name : done) {
        held -= size.applyAsDouble(name);
      }
    }
    return peak;
  }

  /** As ONNX Runtime runs the nodes. */
  List<NodeProto> order() {
    List<NodeProto> order = new ArrayList<>();
    boolean[] seen = new boolean[nodes.size()];
    Deque<Integer> stack = new ArrayDeque<>();
    for (int i = 0; i < nodes.size(); i++) {
      if (readers[i] == 0) {
        stack.push(i);
      }
    }
    while (!stack.isEmpty()) {
      int next = stack.pop();
      if (next < 0) {
        order.add(nodes.get(~next)); // all that it reads has run
      } else if (!seen[next]) {
        seen[next] = true;
        stack.push(~next);
        Arrays.stream(writers.get(next)).forEach(stack::push);
      }
    }
    return order;
  }
}
