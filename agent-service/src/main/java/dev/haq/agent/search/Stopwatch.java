package dev.haq.agent.search;

/** Measures the parts of one episode, one after the other. */
final class Stopwatch {
  /** What an episode spends its time on. */
  enum Part {
    AGENT,
    SIMULATOR,
    QUANTIZER
  }

  private final long start = System.nanoTime();
  private final long[] nanos = new long[Part.values().length];
  private long lapStart = start;

  /** Books the time since the last lap on {@code part}. */
  void lap(Part part) {
    long now = System.nanoTime();
    nanos[part.ordinal()] += now - lapStart;
    lapStart = now;
  }

  Timings timings() {
    return new Timings(
        (lapStart - start) * 1e-9,
        nanos[Part.AGENT.ordinal()] * 1e-9,
        nanos[Part.SIMULATOR.ordinal()] * 1e-9,
        nanos[Part.QUANTIZER.ordinal()] * 1e-9);
  }
}
