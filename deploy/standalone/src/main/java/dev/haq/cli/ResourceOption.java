package dev.haq.cli;

import dev.haq.model.HaqException;
import dev.haq.model.Resource;

/** Resources as people name them. */
final class ResourceOption {
  private ResourceOption() {}

  /**
   * @param option that the user gave it with, for errors
   * @param text {@code latency}, {@code energy} or {@code size}
   */
  static Resource parse(String option, String text) {
    return switch (text) {
      case "latency" -> Resource.LATENCY;
      case "energy" -> Resource.ENERGY;
      case "size", "model-size" -> Resource.MODEL_SIZE;
      default -> throw HaqException.invalid("%s %s: use latency, energy or size", option, text);
    };
  }
}
