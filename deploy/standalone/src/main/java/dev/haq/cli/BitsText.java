package dev.haq.cli;

import dev.haq.model.BitWidth;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.model.v1.Layer;
import dev.haq.proto.model.v1.LayerBits;
import dev.haq.proto.model.v1.Network;
import dev.haq.proto.model.v1.Policy;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** One pair of bit-widths for all layers, written {@code W,A}; {@code float} leaves one alone. */
final class BitsText {
  private static final Pattern PAIR = Pattern.compile("\\s*(\\w+)\\s*,\\s*(\\w+)\\s*");

  private BitsText() {}

  static Policy parse(String text, String modelId, Network network) {
    Matcher pair = PAIR.matcher(text);
    if (!pair.matches()) {
      throw new HaqException(
          Reason.INVALID_BITS,
          "--bits " + text + ": give weight and activation bits, such as --bits 8,8");
    }
    return uniform(
        modelId,
        network,
        width(pair.group(1), "weights", text),
        width(pair.group(2), "activations", text));
  }

  /** The same widths in every layer; empty is float. */
  static Policy uniform(
      String modelId, Network network, OptionalInt weights, OptionalInt activations) {
    Policy.Builder policy = Policy.newBuilder().setModel(modelId);
    for (Layer layer : network.getLayersList()) {
      LayerBits.Builder bits = policy.addLayersBuilder().setName(layer.getName());
      weights.ifPresent(bits::setWeightBits);
      activations.ifPresent(bits::setActivationBits);
    }
    return policy.build();
  }

  private static OptionalInt width(String text, String operand, String option) {
    if (text.equals("float")) {
      return OptionalInt.empty();
    }
    int bits = text.matches("[0-9]{1,3}") ? Integer.parseInt(text) : 0;
    if (bits < 1 || bits > BitWidth.WIDEST) {
      throw new HaqException(
          Reason.INVALID_BITS,
          "--bits %s: %s cannot have %s bits: use 1 to %d, or float"
              .formatted(option, operand, text, BitWidth.WIDEST));
    }
    return OptionalInt.of(bits);
  }
}
