package dev.haq.wire;

import dev.haq.model.BitChoices;
import dev.haq.model.BitWidth;
import dev.haq.model.HaqException;
import dev.haq.model.LayerBits;
import dev.haq.model.Network;
import dev.haq.model.Operand;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import java.util.ArrayList;
import java.util.List;

/** Bit-widths, their choices, operands, and policies. An absent width is float. */
public final class BitsWire {
  private BitsWire() {}

  public static dev.haq.proto.model.v1.LayerBits toProto(String layerName, LayerBits bits) {
    dev.haq.proto.model.v1.LayerBits.Builder message =
        dev.haq.proto.model.v1.LayerBits.newBuilder().setName(layerName);
    if (!bits.weights().isFloat()) {
      message.setWeightBits(bits.weights().bits());
    }
    if (!bits.activations().isFloat()) {
      message.setActivationBits(bits.activations().bits());
    }
    return message.build();
  }

  public static LayerBits fromProto(dev.haq.proto.model.v1.LayerBits message) {
    try {
      return new LayerBits(
          message.hasWeightBits() ? quantized(message.getWeightBits()) : BitWidth.FLOAT,
          message.hasActivationBits() ? quantized(message.getActivationBits()) : BitWidth.FLOAT);
    } catch (HaqException e) {
      throw new HaqException(
          e.reason(), "policy layer '" + message.getName() + "': " + e.getMessage(), e);
    }
  }

  private static BitWidth quantized(int bits) {
    if (bits > BitWidth.WIDEST) {
      throw new HaqException(
          Reason.INVALID_BITS,
          "bit-width " + bits + " is not allowed: use 1 to 16, or none for float");
    }
    return BitWidth.of(bits);
  }

  public static dev.haq.proto.model.v1.Policy toProto(Policy policy, Network network) {
    return toProto(
        policy, network.modelId(), network.layers().stream().map(layer -> layer.name()).toList());
  }

  /** A policy with the names of its layers, in order. */
  public static dev.haq.proto.model.v1.Policy toProto(
      Policy policy, String modelId, List<String> layerNames) {
    dev.haq.proto.model.v1.Policy.Builder message =
        dev.haq.proto.model.v1.Policy.newBuilder().setModel(modelId);
    for (int layer = 0; layer < policy.size(); layer++) {
      message.addLayers(toProto(layerNames.get(layer), policy.get(layer)));
    }
    return message.build();
  }

  /**
   * A policy for {@code network}: refused when it was made for another model, has another number of
   * layers, or names them differently. Layers without a name are taken in order.
   */
  public static Policy fromProto(dev.haq.proto.model.v1.Policy message, Network network) {
    if (!message.getModel().isEmpty()
        && !network.modelId().isEmpty()
        && !message.getModel().equals(network.modelId())) {
      throw new HaqException(
          Reason.POLICY_MISMATCH,
          "the policy was made for model %s, not for %s: use a policy of this model"
              .formatted(message.getModel(), network.modelId()));
    }
    List<LayerBits> layers = new ArrayList<>();
    for (dev.haq.proto.model.v1.LayerBits layer : message.getLayersList()) {
      int index = layers.size();
      layers.add(fromProto(layer));
      if (!layer.getName().isEmpty()
          && index < network.size()
          && !layer.getName().equals(network.layer(index).name())) {
        throw new HaqException(
            Reason.POLICY_MISMATCH,
            "layer %d of the policy is '%s', of network %s '%s': use a policy made for this model"
                .formatted(index, layer.getName(), network.name(), network.layer(index).name()));
      }
    }
    return new Policy(layers).checkedAgainst(network);
  }

  public static dev.haq.proto.model.v1.BitChoices toProto(BitChoices choices) {
    return dev.haq.proto.model.v1.BitChoices.newBuilder().addAllBits(choices.bits()).build();
  }

  public static BitChoices fromProto(dev.haq.proto.model.v1.BitChoices message) {
    return new BitChoices(message.getBitsList());
  }

  public static dev.haq.proto.model.v1.Operand toProto(Operand operand) {
    return switch (operand) {
      case WEIGHTS -> dev.haq.proto.model.v1.Operand.WEIGHTS;
      case ACTIVATIONS -> dev.haq.proto.model.v1.Operand.ACTIVATIONS;
    };
  }

  public static Operand fromProto(dev.haq.proto.model.v1.Operand message) {
    return switch (message) {
      case WEIGHTS -> Operand.WEIGHTS;
      case ACTIVATIONS -> Operand.ACTIVATIONS;
      case OPERAND_UNSPECIFIED, UNRECOGNIZED ->
          throw HaqException.invalid("an operand must be WEIGHTS or ACTIVATIONS");
    };
  }
}
