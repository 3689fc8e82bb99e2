package dev.haq.agent.search;

/** Measures the parts of one episode, one after the other. */
final class Stopwatch {
  private static final double SECONDS_PER_NANO = 1e-9;

  private final long start = System.nanoTime();
  private long lapStart = start;

  /** Seconds since the last lap, or since the start. */
  double lap() {
    long now = System.nanoTime();
    double seconds = (now - lapStart) * SECONDS_PER_NANO;
    lapStart = now;
    return seconds;
  }

  /** Seconds from the start to the last lap. */
  double total() {
    return (lapStart - start) * SECONDS_PER_NANO;
  }
}
