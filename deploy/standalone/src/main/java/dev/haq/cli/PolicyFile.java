package dev.haq.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.model.v1.LayerBits;
import dev.haq.proto.model.v1.Network;
import dev.haq.proto.model.v1.Policy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;

/**
 * A policy as a file: {@code {"model": "sha256:...", "layers": [{"name", "weight_bits",
 * "activation_bits"}, ...]}} with null for float; a key that no layer has is float too. Also reads
 * the form in which the HAQ reference code publishes policies, {@code {"bits": [[w, a], ...]}},
 * whose -1 means the image, left at 8 bits. A {@code "note"} for people may stand in both.
 */
final class PolicyFile {
  private static final int IMAGE_BITS = 8;
  private static final Set<String> KEYS = new TreeSet<>(Set.of("layers", "model", "note"));
  private static final Set<String> PUBLISHED_KEYS = new TreeSet<>(Set.of("bits", "model", "note"));
  private static final Set<String> LAYER_KEYS =
      new TreeSet<>(Set.of("activation_bits", "name", "weight_bits"));

  private PolicyFile() {}

  /**
   * Reads a policy for a model.
   *
   * @throws HaqException POLICY_MISMATCH when the file names another model or other layers
   */
  static Policy read(Path file, String modelId, Network network) {
    String text = TextFile.read("--policy " + file, file);
    Policy policy = parse(text, file.toString(), modelId);
    check(policy, file.toString(), modelId, network);
    return policy;
  }

  /**
   * @param origin names the text in errors
   */
  static Policy parse(String text, String origin, String modelId) {
    JsonNode tree = Json.ofFile("--policy " + origin, text);
    if (tree.path("bits").isArray()) {
      checkKeys(tree, PUBLISHED_KEYS, origin);
      return published(tree.get("bits"), origin, tree.path("model").asText(modelId));
    }
    if (!tree.path("layers").isArray() || tree.get("layers").isEmpty()) {
      throw HaqException.invalid(
          "--policy %s is not a policy: it needs \"layers\", a list of {name, weight_bits,"
              + " activation_bits}",
          origin);
    }
    checkKeys(tree, KEYS, origin);
    Policy.Builder policy = Policy.newBuilder().setModel(tree.path("model").asText(""));
    for (JsonNode layer : tree.get("layers")) {
      String name = layer.path("name").asText("");
      LayerBits.Builder bits = policy.addLayersBuilder().setName(name);
      String where = origin + ", layer " + policy.getLayersCount();
      if (!layer.isObject()) {
        throw HaqException.invalid(
            "--policy %s: expected {name, weight_bits, activation_bits}", where);
      }
      checkKeys(layer, LAYER_KEYS, where);
      String named = name.isEmpty() ? where : where + " (" + name + ")";
      width(tree, layer, "weight_bits", named).ifPresent(bits::setWeightBits);
      width(tree, layer, "activation_bits", named).ifPresent(bits::setActivationBits);
    }
    return policy.build();
  }

  /**
   * Empty for float. Sessions leave the operand out that is float in all layers; one that only some
   * leave out was forgotten.
   */
  private static OptionalInt width(JsonNode policy, JsonNode layer, String key, String where) {
    if (!layer.has(key)) {
      if (policy.get("layers").findValue(key) == null) {
        return OptionalInt.empty();
      }
      throw HaqException.invalid(
          "--policy %s: %s is missing: give a width, or null for float", where, key);
    }
    JsonNode width = layer.get(key);
    return width.isNull() ? OptionalInt.empty() : OptionalInt.of(whole(width, where));
  }

  /** The file's text: stable, one layer a line, with a line end. */
  static String text(Policy policy) {
    List<String> lines = new ArrayList<>();
    for (LayerBits layer : policy.getLayersList()) {
      lines.add(
          "    {\"name\": %s, \"weight_bits\": %s, \"activation_bits\": %s}"
              .formatted(
                  Json.MAPPER.valueToTree(layer.getName()),
                  layer.hasWeightBits() ? layer.getWeightBits() : "null",
                  layer.hasActivationBits() ? layer.getActivationBits() : "null"));
    }
    return "{\n  \"model\": %s,\n  \"layers\": [\n%s\n  ]\n}\n"
        .formatted(Json.MAPPER.valueToTree(policy.getModel()), String.join(",\n", lines));
  }

  /** The same as a tree, to be part of a document. */
  static ObjectNode tree(Policy policy) {
    ObjectNode tree = Json.object().put("model", policy.getModel());
    ArrayNode layers = tree.putArray("layers");
    for (LayerBits layer : policy.getLayersList()) {
      layers
          .addObject()
          .put("name", layer.getName())
          .put("weight_bits", layer.hasWeightBits() ? layer.getWeightBits() : null)
          .put("activation_bits", layer.hasActivationBits() ? layer.getActivationBits() : null);
    }
    return tree;
  }

  /** A key that is not known would be a width left at float. */
  private static void checkKeys(JsonNode object, Set<String> known, String where) {
    object
        .fieldNames()
        .forEachRemaining(
            key -> {
              if (!known.contains(key)) {
                throw HaqException.invalid(
                    "--policy %s: there is no key '%s': use %s", where, key, known);
              }
            });
  }

  private static Policy published(JsonNode bits, String origin, String modelId) {
    Policy.Builder policy = Policy.newBuilder().setModel(modelId);
    for (JsonNode pair : bits) {
      String where = origin + ", layer " + (policy.getLayersCount() + 1);
      if (!pair.isArray() || pair.size() != 2) {
        throw HaqException.invalid("--policy %s: expected [weight bits, activation bits]", where);
      }
      int weights = whole(pair.get(0), where);
      int activations = whole(pair.get(1), where);
      policy
          .addLayersBuilder()
          .setWeightBits(weights == -1 ? IMAGE_BITS : weights)
          .setActivationBits(activations == -1 ? IMAGE_BITS : activations);
    }
    return policy.build();
  }

  private static int whole(JsonNode node, String where) {
    if (!node.isInt()) {
      throw HaqException.invalid("--policy %s: a bit-width must be a whole number", where);
    }
    return node.intValue();
  }

  private static void check(Policy policy, String origin, String modelId, Network network) {
    if (!policy.getModel().isEmpty() && !policy.getModel().equals(modelId)) {
      throw new HaqException(
          Reason.POLICY_MISMATCH,
          "--policy %s was made for another model (%s, not %s): use a policy of this model"
              .formatted(origin, policy.getModel(), modelId));
    }
    if (policy.getLayersCount() != network.getLayersCount()) {
      throw new HaqException(
          Reason.POLICY_MISMATCH,
          "--policy %s has %d layers, model %s has %d: use a policy of this model"
              .formatted(
                  origin, policy.getLayersCount(), network.getName(), network.getLayersCount()));
    }
    for (int i = 0; i < policy.getLayersCount(); i++) {
      String name = policy.getLayers(i).getName();
      if (!name.isEmpty() && !name.equals(network.getLayers(i).getName())) {
        throw new HaqException(
            Reason.POLICY_MISMATCH,
            "--policy %s: layer %d is %s, in the model it is %s: use a policy of this model"
                .formatted(origin, i + 1, name, network.getLayers(i).getName()));
      }
    }
  }
}
