package dev.haq.agent.store;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.haq.agent.session.Tuned;
import dev.haq.agent.session.Tunings;
import dev.haq.model.Accuracy;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * The outcomes of final fine-tuning as the store keeps them: a JSON array with an object, or null,
 * for each aim; of sessions of earlier versions, the first target's object alone.
 */
final class TunedText {
  private static final ObjectMapper JSON = new ObjectMapper();

  private TunedText() {}

  /** Null where nothing was trained. */
  static String format(Tunings tunings) {
    if (tunings.byAim().stream().allMatch(Optional::isEmpty)) {
      return null;
    }
    ArrayNode nodes = JSON.createArrayNode();
    tunings.byAim().forEach(tuned -> nodes.add(tuned.map(TunedText::node).orElse(null)));
    return nodes.toString();
  }

  private static ObjectNode node(Tuned tuned) {
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
    return node;
  }

  /**
   * @param aims how many there are
   * @param text null where nothing was trained
   */
  static Tunings parse(int aims, String text) throws SQLException {
    List<Optional<Tuned>> byAim = new ArrayList<>(Collections.nCopies(aims, Optional.empty()));
    try {
      JsonNode all = text == null ? JSON.createArrayNode() : JSON.readTree(text);
      if (all.isObject()) {
        byAim.set(0, Optional.of(tuned(all)));
      }
      for (int aim = 0; all.isArray() && aim < all.size(); aim++) {
        if (all.get(aim).isObject()) {
          byAim.set(aim, Optional.of(tuned(all.get(aim))));
        }
      }
      return new Tunings(byAim);
    } catch (JsonProcessingException e) {
      throw new SQLException("column session.tuned is not JSON: " + e.getMessage(), e);
    }
  }

  private static Tuned tuned(JsonNode node) {
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
