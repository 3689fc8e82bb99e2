package dev.haq.quantizer.builtin;

import java.util.Arrays;

/**
 * Random numbers as a pure function of (seed, stream, draw number), so that image 4711 can be drawn
 * without drawing the 4710 before it and comes out alike on every machine.
 *
 * <p>Draw n of a stream is {@code mix(key + n * GOLDEN_GAMMA)}, where {@code key = mix(mix(seed) +
 * stream)} and {@code mix} is the 64-bit finaliser of SplitMix64 (Steele, Lea, Flood, <em>Fast
 * Splittable Pseudorandom Number Generators</em>, OOPSLA 2014, variant 13 of Stafford). Only
 * integer arithmetic and exact conversions are used. Not thread-safe: one instance draws one image.
 */
public final class CounterRandom {
  /** 2^64 divided by the golden ratio, made odd: the increment of SplitMix64. */
  private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

  /** The distance of two neighbouring doubles in [0.5, 1): 53 random bits fill [0, 1) evenly. */
  private static final double UNIT = 0x1.0p-53;

  private final long key;
  private long draws;

  public CounterRandom(long seed, long stream) {
    this.key = mix(mix(seed + GOLDEN_GAMMA) + stream * GOLDEN_GAMMA);
  }

  /** Uniform in [0, 1). */
  public double unit() {
    return (nextLong() >>> 11) * UNIT;
  }

  /** Uniform in [low, high). */
  public double between(double low, double high) {
    return low + (high - low) * unit();
  }

  /** Uniform over 0 .. bound - 1 (the bias of a double product is below 2^-40 for small bounds). */
  public int below(int bound) {
    return (int) (unit() * bound);
  }

  public boolean chance(double probability) {
    return unit() < probability;
  }

  /** 0 .. size - 1 in an order of its own (Fisher and Yates). */
  public int[] permutation(int size) {
    int[] order = new int[size];
    Arrays.setAll(order, i -> i);
    for (int last = size - 1; last > 0; last--) {
      int other = below(last + 1);
      int swapped = order[last];
      order[last] = order[other];
      order[other] = swapped;
    }
    return order;
  }

  /**
   * Nearly normal with mean 0 and deviation 1: the centred sum of four 16-bit uniforms
   * (Irwin-Hall), which needs no logarithm and so no transcendental function.
   */
  public double bell() {
    long bits = nextLong();
    long sum =
        (bits & 0xFFFF) + (bits >>> 16 & 0xFFFF) + (bits >>> 32 & 0xFFFF) + (bits >>> 48 & 0xFFFF);
    // Four uniforms over 0..65535 have mean 131070 and deviation 65536 * sqrt(4 / 12).
    return (sum - 131_070) / 37_837.22;
  }

  private long nextLong() {
    draws++;
    return mix(key + draws * GOLDEN_GAMMA);
  }

  private static long mix(long z) {
    long mixed = z;
    mixed = (mixed ^ (mixed >>> 30)) * 0xBF58476D1CE4E5B9L;
    mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
    return mixed ^ (mixed >>> 31);
  }
}
