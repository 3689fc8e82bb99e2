package dev.haq.hwsim.cost;

import dev.haq.model.Bound;
import java.util.OptionalDouble;

/**
 * What running a layer once, for one batch, takes, and what explains it.
 *
 * @param cycles clock cycles; 0 where the target is not clocked
 * @param latencySeconds seconds; 0 where the target has no model of latency
 * @param energyJoules joules; empty where the target has no model of energy
 * @param boundBy what it waits for most
 * @param utilisation share of the array's peak that is reached, 0..1; empty where unknown
 * @param trafficBytes bytes brought to the array; empty where unknown
 * @param extrapolated whether it rests on parts of the model that no published figure checks
 */
public record RunCost(
    double cycles,
    double latencySeconds,
    OptionalDouble energyJoules,
    Bound boundBy,
    OptionalDouble utilisation,
    OptionalDouble trafficBytes,
    boolean extrapolated) {
  /** For a layer that is not run, because only its size is asked for. */
  static final RunCost NOT_RUN =
      new RunCost(
          0,
          0,
          OptionalDouble.empty(),
          Bound.UNKNOWN,
          OptionalDouble.empty(),
          OptionalDouble.empty(),
          false);
}
