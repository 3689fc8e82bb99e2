package dev.haq.model;

import java.util.Optional;
import java.util.OptionalDouble;

/**
 * The cost of one layer at its bits, and what explains it.
 *
 * @param boundBy what it waits for
 * @param utilisation share of the array's peak it reaches, 0..1; empty where unknown
 * @param trafficBytes bytes brought to and from the array; empty where unknown
 * @param extrapolated whether the result rests on parts of the model that no published figure
 *     checks
 * @param energySplit where the energy goes; empty where unknown
 * @param traffic what the bytes hold and where they go; empty where unknown
 */
public record LayerCost(
    String name,
    LayerBits bits,
    Cost cost,
    Bound boundBy,
    OptionalDouble utilisation,
    OptionalDouble trafficBytes,
    boolean extrapolated,
    Optional<EnergySplit> energySplit,
    Optional<Traffic> traffic) {}
