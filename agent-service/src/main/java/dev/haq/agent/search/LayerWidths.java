package dev.haq.agent.search;

import dev.haq.model.BitChoices;
import dev.haq.model.HaqException;
import dev.haq.model.Operand;
import java.util.Optional;

/**
 * Widths that one layer may be given in place of those that all may be: a single one pins it, and a
 * pinned layer that is named becomes free. Beyond the paper, which knows the first and the last
 * layer alone as exceptions.
 *
 * @param layer its name
 * @param weightBits empty to leave the weights as they are without this
 * @param activationBits likewise; the first layer's activations are the image, which keeps its own
 *     width: none but that may be named
 */
public record LayerWidths(
    String layer, Optional<BitChoices> weightBits, Optional<BitChoices> activationBits) {
  public LayerWidths {
    if (weightBits.isEmpty() && activationBits.isEmpty()) {
      throw HaqException.invalid("layer '%s' is named without widths: give it some", layer);
    }
  }

  Optional<BitChoices> of(Operand operand) {
    return operand == Operand.WEIGHTS ? weightBits : activationBits;
  }
}
