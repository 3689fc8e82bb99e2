package dev.haq.agent.search;

/**
 * Random numbers that depend on a seed, a purpose and an episode's number only, so that an episode
 * begun again, here or on another machine, draws the same ones and no generator's state has to be
 * kept.
 *
 * <p>The generator is SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number
 * generators, OOPSLA 2014): a 64-bit counter stepped by the golden ratio, scrambled.
 */
public final class SeededRandom {
  /** What the numbers are for: each purpose has its own stream. */
  public enum Purpose {
    INITIAL_WEIGHTS(1),
    EXPLORATION(2),
    REPLAY(3),
    IMITATION(4);

    private final long salt;

    Purpose(long salt) {
      this.salt = salt;
    }
  }

  /** 2^64 over the golden ratio, odd. */
  private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

  private static final double TWO_TO_MINUS_53 = 0x1.0p-53;

  private long state;

  private SeededRandom(long state) {
    this.state = state;
  }

  /**
   * @param episode 0 for what happens once
   */
  public static SeededRandom of(long seed, Purpose purpose, long episode) {
    return new SeededRandom(scramble(scramble(scramble(seed) + purpose.salt) + episode));
  }

  public long nextLong() {
    state += GOLDEN_GAMMA;
    return scramble(state);
  }

  /** Uniform in [0, 1): a multiple of 2^-53. */
  public double nextDouble() {
    return (nextLong() >>> 11) * TWO_TO_MINUS_53;
  }

  /** Uniform in [0, bound); the bias, below 2^-32 for small bounds, is left in. */
  public int nextInt(int bound) {
    return (int) (((nextLong() >>> 32) * bound) >>> 32);
  }

  /**
   * Standard normal, by the polar method (Marsaglia, Bray 1964); the second of each pair is not
   * kept. StrictMath gives the same digits on every machine.
   */
  public double nextGaussian() {
    while (true) {
      double x = 2 * nextDouble() - 1;
      double y = 2 * nextDouble() - 1;
      double s = x * x + y * y;
      if (s > 0 && s < 1) {
        return x * StrictMath.sqrt(-2 * StrictMath.log(s) / s);
      }
    }
  }

  private static long scramble(long z) {
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
