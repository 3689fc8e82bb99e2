package dev.haq.quantizer.export;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.haq.model.BitWidth;
import dev.haq.model.Network;
import dev.haq.model.Policy;
import dev.haq.wire.BitsWire;
import dev.haq.wire.NetworkWire;
import dev.haq.wire.PolicyTable;
import java.nio.charset.StandardCharsets;

/** A policy by itself, as JSON and as CSV. */
final class PolicyText {
  private PolicyText() {}

  /** {@code {"model", "layers": [{"name", "weight_bits", "activation_bits"}]}}, null for float. */
  static ObjectNode tree(Policy policy, Network network) {
    ObjectNode document = Json.object().put("model", network.modelId());
    ArrayNode layers = document.putArray("layers");
    for (int k = 0; k < policy.size(); k++) {
      layers
          .addObject()
          .put("name", network.layer(k).name())
          .put("weight_bits", bits(policy.get(k).weights()))
          .put("activation_bits", bits(policy.get(k).activations()));
    }
    return document;
  }

  private static Integer bits(BitWidth width) {
    return width.isFloat() ? null : width.bits();
  }

  static byte[] csv(Policy policy, Network network) {
    return PolicyTable.of(BitsWire.toProto(policy, network), NetworkWire.toProto(network))
        .text()
        .getBytes(StandardCharsets.UTF_8);
  }
}
