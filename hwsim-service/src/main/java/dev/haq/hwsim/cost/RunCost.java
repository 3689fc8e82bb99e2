package dev.haq.hwsim.cost;

import dev.haq.model.Bound;
import dev.haq.model.EnergySplit;
import dev.haq.model.Traffic;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What running a layer once, for one batch, takes, and what explains it.
 *
 * @param cycles clock cycles; 0 where the target is not clocked
 * @param latencySeconds seconds; 0 where the target has no model of latency
 * @param energyJoules joules; empty where the target has no model of energy
 * @param boundBy what it waits for most
 * @param utilisation share of the array's peak that is reached, 0..1; empty where unknown
 * @param energySplit where the energy goes; empty where unknown
 * @param traffic what the bytes hold and where they go; empty where unknown
 * @param speed the roofline above it; empty where unknown
 * @param extrapolated whether it rests on parts of the model that no published figure checks
 */
public record RunCost(
    double cycles,
    double latencySeconds,
    OptionalDouble energyJoules,
    Bound boundBy,
    OptionalDouble utilisation,
    Optional<EnergySplit> energySplit,
    Optional<Traffic> traffic,
    Optional<Speed> speed,
    boolean extrapolated) {
  /** For a layer that is not run, because only its size is asked for. */
  static final RunCost NOT_RUN = measured(0, 0, OptionalDouble.empty());

  /** A cost of which nothing else is known. */
  static RunCost measured(double cycles, double latencySeconds, OptionalDouble energyJoules) {
    return new RunCost(
        cycles,
        latencySeconds,
        energyJoules,
        Bound.UNKNOWN,
        OptionalDouble.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        false);
  }

  OptionalDouble trafficBytes() {
    return traffic.map(Traffic::memoryBytes).map(OptionalDouble::of).orElse(OptionalDouble.empty());
  }
}
