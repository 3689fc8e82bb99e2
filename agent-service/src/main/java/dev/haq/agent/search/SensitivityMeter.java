package dev.haq.agent.search;

/**
 * What each bit-width of each layer does to accuracy by itself, on the session's search images.
 * Port: a quantizer answers; measured once a session, before its first episode.
 */
public interface SensitivityMeter {
  /**
   * Measures every width that {@code space} may choose, of every free decision.
   *
   * @throws dev.haq.model.HaqException when the quantizer refuses, does not answer, or the call is
   *     cancelled
   */
  Sensitivities measure(SearchSpace space);
}
