package dev.haq.agent.search;

/**
 * Which bit-widths a search leaves alone (method: the reference code's {@code
 * keep_first_last_layer}).
 */
public enum Pinning {
  /**
   * The first layer's activation (the image is 8 bit already), its weights, and the last layer's
   * weights and activations stay at 8 bits.
   */
  FIRST_AND_LAST,
  /** Only the image stays at 8 bits. */
  IMAGE
}
