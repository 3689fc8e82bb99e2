package dev.haq.model;

import java.util.OptionalDouble;

/**
 * The cost of one layer at its bits, and what explains it.
 *
 * @param boundBy what it waits for
 * @param utilisation share of the array's peak it reaches, 0..1; empty where unknown
 * @param trafficBytes bytes brought to and from the array; empty where unknown
 * @param extrapolated whether the result rests on parts of the model that no published figure
 *     checks
 */
public record LayerCost(
    String name,
    LayerBits bits,
    Cost cost,
    Bound boundBy,
    OptionalDouble utilisation,
    OptionalDouble trafficBytes,
    boolean extrapolated) {}
