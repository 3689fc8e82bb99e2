package dev.haq.agent.search;

import dev.haq.model.BitChoices;
import dev.haq.model.Operand;

/**
 * What each bit-width of each layer does to accuracy by itself, on the session's search images.
 * Port: a quantizer answers; measured once a session, before its first episode.
 */
public interface SensitivityMeter {
  /**
   * Measures every layer at each of these widths.
   *
   * @throws dev.haq.model.HaqException when the quantizer refuses, does not answer, or the call is
   *     cancelled
   */
  Sensitivities measure(BitChoices weights, BitChoices activations);

  /** Of every width that may be chosen. */
  default Sensitivities measure(Decisions decisions) {
    return measure(decisions.choices(Operand.WEIGHTS), decisions.choices(Operand.ACTIVATIONS));
  }
}
