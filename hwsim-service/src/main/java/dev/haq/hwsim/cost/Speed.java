package dev.haq.hwsim.cost;

/**
 * The roofline above a layer, in multiply-accumulate operations per second.
 *
 * @param peakMacsPerSecond of the arithmetic, at the layer's bits
 * @param attainableMacsPerSecond what the arithmetic and the memory allow for the layer's traffic
 */
public record Speed(double peakMacsPerSecond, double attainableMacsPerSecond) {}
