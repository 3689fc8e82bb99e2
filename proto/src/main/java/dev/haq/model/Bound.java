package dev.haq.model;

/** What a layer waits for most on a target. */
public enum Bound {
  COMPUTE,
  /** The port that brings activations to the array. */
  ACTIVATION_PORT,
  /** The port that brings weights to the array. */
  WEIGHT_PORT,
  DRAM,
  /** Measured, not modelled: a look-up table does not say. */
  UNKNOWN
}
