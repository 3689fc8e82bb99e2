package dev.haq.agent.search;

/** Measures what comes one after the other. By a clock that nobody sets. */
public final class Stopwatch {
  private static final double SECONDS_PER_NANO = 1e-9;

  private long lapStart = System.nanoTime();

  /** Seconds since the last lap, or since the start. */
  public double lap() {
    long now = System.nanoTime();
    double seconds = (now - lapStart) * SECONDS_PER_NANO;
    lapStart = now;
    return seconds;
  }
}
