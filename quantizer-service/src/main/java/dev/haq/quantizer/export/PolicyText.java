package dev.haq.quantizer.export;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.haq.model.BitWidth;
import dev.haq.model.Layer;
import dev.haq.model.LayerBits;
import dev.haq.model.Network;
import dev.haq.model.Policy;
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

  /** A line a layer; bits are empty for float. RFC 4180 but for the line end. */
  static byte[] csv(Policy policy, Network network) {
    StringBuilder csv =
        new StringBuilder("layer,name,kind,weight_bits,activation_bits,weights,macs\n");
    for (int k = 0; k < policy.size(); k++) {
      Layer layer = network.layer(k);
      LayerBits bits = policy.get(k);
      csv.append(k + 1).append(',').append(quoted(layer.name())).append(',').append(kind(layer));
      csv.append(',').append(text(bits.weights())).append(',').append(text(bits.activations()));
      csv.append(',').append(layer.weights()).append(',').append(layer.macs()).append('\n');
    }
    return csv.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static String text(BitWidth width) {
    return width.isFloat() ? "" : Integer.toString(width.bits());
  }

  private static String kind(Layer layer) {
    if (layer instanceof Layer.Linear) {
      return "linear";
    }
    return layer instanceof Layer.DepthwiseConv2d ? "depthwise" : "conv";
  }

  private static String quoted(String text) {
    return text.matches("[^\",\n\r]*") ? text : '"' + text.replace("\"", "\"\"") + '"';
  }
}
