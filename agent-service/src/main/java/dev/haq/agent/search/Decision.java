package dev.haq.agent.search;

import dev.haq.model.BitWidth;
import dev.haq.model.Operand;
import dev.haq.model.Policy;

/**
 * One bit-width to be chosen.
 *
 * @param layer 0-based
 */
public record Decision(int layer, Operand operand) {
  /** The width that {@code policy} has here. */
  public BitWidth of(Policy policy) {
    return policy.get(layer).of(operand);
  }
}
