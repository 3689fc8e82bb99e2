package dev.haq.agent.search;

import dev.haq.model.BitChoices;
import dev.haq.model.BitWidth;

/**
 * Maps a continuous action to a bit-width so that every width owns an interval of the same length
 * (paper, 3.2, equation 3).
 *
 * <p>The paper writes {@code b = round(b_min - 0.5 + a (b_max - b_min + 1))}. With half-up rounding
 * that is {@code b_min + floor(a n)} for {@code n} widths in a row, which also serves a subset such
 * as 2, 4, 8. At a = 1 the formula leaves the range (9 for 2..8); here it gives the widest.
 */
public record ActionSpace(BitChoices choices) {
  /**
   * @param action 0..1
   */
  public BitWidth bits(double action) {
    if (!(action >= 0 && action <= 1)) {
      throw new IllegalArgumentException("action " + action + " is not in 0..1");
    }
    int index = Math.min((int) Math.floor(action * choices.size()), choices.size() - 1);
    return BitWidth.of(choices.bits().get(index));
  }

  /** The middle of the interval that {@code width} owns: 0..1. */
  public double action(BitWidth width) {
    int index = choices.indexOf(width);
    if (index < 0) {
      throw new IllegalArgumentException("bit-width " + width + " is not one of " + choices);
    }
    return (index + 0.5) / choices.size();
  }
}
