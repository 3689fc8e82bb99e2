package dev.haq.agent.store;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.haq.agent.search.Tuned;
import dev.haq.model.Accuracy;
import java.sql.SQLException;
import java.util.Optional;
import java.util.OptionalDouble;

/** The outcome of a final fine-tuning as the store keeps it, in JSON. */
final class TunedText {
  private static final ObjectMapper JSON = new ObjectMapper();

  private TunedText() {}

  static String format(Tuned tuned) {
    ObjectNode node =
        JSON.createObjectNode()
            .put("episode", tuned.episode())
            .put("model", tuned.model())
            .put("epochs", tuned.epochs())
            .put("seconds", tuned.seconds());
    node.set("before", node(tuned.before()));
    node.set("after", node(tuned.after()));
    tuned
        .heldOut()
        .ifPresent(
            heldOut -> {
              node.set("held_out_before", node(heldOut.before()));
              node.set("held_out_after", node(heldOut.after()));
            });
    return node.toString();
  }

  static Tuned parse(String text) throws SQLException {
    try {
      JsonNode node = JSON.readTree(text);
      return new Tuned(
          node.get("episode").asInt(),
          node.get("model").asText(),
          node.get("epochs").asInt(),
          accuracy(node.get("before")),
          accuracy(node.get("after")),
          node.has("held_out_before")
              ? Optional.of(
                  new Tuned.HeldOut(
                      accuracy(node.get("held_out_before")), accuracy(node.get("held_out_after"))))
              : Optional.empty(),
          node.get("seconds").asDouble());
    } catch (JsonProcessingException e) {
      throw new SQLException("column session.tuned is not JSON: " + e.getMessage(), e);
    }
  }

  private static ObjectNode node(Accuracy accuracy) {
    ObjectNode node =
        JSON.createObjectNode()
            .put("images", accuracy.images())
            .put("top1_correct", accuracy.top1Correct())
            .put("top5_correct", accuracy.top5Correct())
            .put("cross_entropy_sum", accuracy.crossEntropySum());
    accuracy.klDivergenceSum().ifPresent(sum -> node.put("kl_divergence_sum", sum));
    return node;
  }

  private static Accuracy accuracy(JsonNode node) {
    return new Accuracy(
        node.get("images").asInt(),
        node.get("top1_correct").asInt(),
        node.get("top5_correct").asInt(),
        node.get("cross_entropy_sum").asDouble(),
        node.has("kl_divergence_sum")
            ? OptionalDouble.of(node.get("kl_divergence_sum").asDouble())
            : OptionalDouble.empty());
  }
}
