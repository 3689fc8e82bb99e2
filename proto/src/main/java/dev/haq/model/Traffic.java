package dev.haq.model;

import java.util.OptionalDouble;

/**
 * Bytes that a layer moves, by what they hold and by level.
 *
 * @param activationBytes read from memory
 * @param weightBytes read from memory
 * @param outputBytes read from and written to memory; 0 where a model has no term for outputs
 * @param bufferBytes read from and written to on-chip buffers; empty where not modelled
 */
public record Traffic(
    double activationBytes, double weightBytes, double outputBytes, OptionalDouble bufferBytes) {
  /** All that crosses the border to memory. */
  public double memoryBytes() {
    return activationBytes + weightBytes + outputBytes;
  }
}
