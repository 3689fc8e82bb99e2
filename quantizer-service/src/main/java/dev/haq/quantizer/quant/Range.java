package dev.haq.quantizer.quant;

/**
 * What is not clipped.
 *
 * @param low at most 0
 * @param high at least 0
 */
public record Range(double low, double high) {}
