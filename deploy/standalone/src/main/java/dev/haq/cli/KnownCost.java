package dev.haq.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.haq.proto.hwsim.v1.SimulateResponse;
import dev.haq.proto.model.v1.Cost;
import dev.haq.proto.model.v1.LayerBits;
import dev.haq.proto.model.v1.Policy;

/**
 * Costs as files and documents hold them. A message has 0 for what is not known of a cost: the time
 * of a policy with float operands, which has a size alone, or that on a table of energy, or the
 * cycles of a target without a clock. Here that is left out.
 */
final class KnownCost {
  private KnownCost() {}

  /**
   * Whether some operand is left in float: no target runs such a policy, and it has a size alone.
   */
  static boolean hasFloat(Policy policy) {
    return policy.getLayersList().stream().anyMatch(KnownCost::hasFloat);
  }

  static boolean hasFloat(LayerBits layer) {
    return !layer.hasWeightBits() || !layer.hasActivationBits();
  }

  /** Whether the time of a policy of this total is known. */
  static boolean isTimed(Cost total) {
    return total.getLatencySeconds() > 0;
  }

  /** A cell of a table; empty where {@code total}, of all layers, has none. */
  static Object cycles(Cost cost, Cost total) {
    return total.getCycles() > 0 ? cost.getCycles() : "";
  }

  /** The same of time. */
  static Object seconds(Cost cost, Cost total) {
    return isTimed(total) ? cost.getLatencySeconds() : "";
  }

  static ObjectNode tree(Cost cost) {
    return known((ObjectNode) Json.tree(cost), cost);
  }

  /** The whole answer, its layers included. */
  static ObjectNode tree(SimulateResponse answer) {
    ObjectNode tree = (ObjectNode) Json.tree(answer);
    known((ObjectNode) tree.path("total"), answer.getTotal());
    for (JsonNode layer : tree.path("layers")) {
      known((ObjectNode) layer.path("cost"), answer.getTotal());
    }
    return tree;
  }

  private static ObjectNode known(ObjectNode tree, Cost total) {
    if (total.getCycles() == 0) {
      tree.remove("cycles");
    }
    if (!isTimed(total)) {
      tree.remove("latency_seconds");
    }
    return tree;
  }
}
