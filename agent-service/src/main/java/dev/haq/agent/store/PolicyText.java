package dev.haq.agent.store;

import dev.haq.model.BitWidth;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * A policy as the episode log keeps it: {@code 8/8 4/6 f/8}, weights and activations of each layer.
 */
final class PolicyText {
  private static final String FLOAT = "f";

  private PolicyText() {}

  static String format(Policy policy) {
    return policy.layers().stream()
        .map(bits -> format(bits.weights()) + "/" + format(bits.activations()))
        .collect(Collectors.joining(" "));
  }

  static Policy parse(String text) {
    return new Policy(Arrays.stream(text.split(" ", -1)).map(PolicyText::parseLayer).toList());
  }

  private static LayerBits parseLayer(String text) {
    int slash = text.indexOf('/');
    return new LayerBits(
        parseWidth(text.substring(0, slash)), parseWidth(text.substring(slash + 1)));
  }

  private static String format(BitWidth width) {
    return width.isFloat() ? FLOAT : Integer.toString(width.bits());
  }

  private static BitWidth parseWidth(String text) {
    return text.equals(FLOAT) ? BitWidth.FLOAT : BitWidth.of(Integer.parseInt(text));
  }
}
