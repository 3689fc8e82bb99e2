package dev.haq.model;

import java.util.OptionalDouble;

/**
 * What running a layer or a network once, for one batch, takes.
 *
 * @param cycles clock cycles; fractional where a model interpolates; 0 where the target is not
 *     clocked
 * @param latencySeconds seconds
 * @param energyJoules joules; empty where the target has no energy model
 * @param modelSizeBytes bytes of parameters
 */
public record Cost(
    double cycles, double latencySeconds, OptionalDouble energyJoules, double modelSizeBytes) {
  public static final Cost ZERO = new Cost(0, 0, OptionalDouble.of(0), 0);

  public Cost {
    if (!(cycles >= 0)
        || !(latencySeconds >= 0)
        || !(energyJoules.orElse(0) >= 0)
        || !(modelSizeBytes >= 0)) {
      throw HaqException.invalid(
          "cost of %s cycles, %s s, %s J, %s B: every part must be a number of at least 0",
          cycles, latencySeconds, energyJoules, modelSizeBytes);
    }
  }

  /** The part that {@code resource} limits, in its unit. */
  public double of(Resource resource) {
    return switch (resource) {
      case LATENCY -> latencySeconds;
      case ENERGY ->
          energyJoules.orElseThrow(
              () ->
                  new HaqException(
                      Reason.RESOURCE_NOT_MODELLED,
                      "this target has no energy model: use a latency or model-size budget, or another target"));
      case MODEL_SIZE -> modelSizeBytes;
    };
  }

  /** Part by part; without energy where either side has none. */
  public Cost plus(Cost other) {
    OptionalDouble energy =
        energyJoules.isPresent() && other.energyJoules.isPresent()
            ? OptionalDouble.of(energyJoules.getAsDouble() + other.energyJoules.getAsDouble())
            : OptionalDouble.empty();
    return new Cost(
        cycles + other.cycles,
        latencySeconds + other.latencySeconds,
        energy,
        modelSizeBytes + other.modelSizeBytes);
  }
}
