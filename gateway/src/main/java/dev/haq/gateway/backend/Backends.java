package dev.haq.gateway.backend;

import java.time.Duration;
import java.util.List;

/** The three services behind the gateway. */
public record Backends(Backend agent, Backend hwsim, Backend quantizer) implements AutoCloseable {
  /**
   * Connects lazily to all three.
   *
   * @param deadline of calls that set none themselves
   */
  public static Backends open(
      Backend.Address agent, Backend.Address hwsim, Backend.Address quantizer, Duration deadline) {
    return new Backends(
        Backend.open(agent, deadline),
        Backend.open(hwsim, deadline),
        Backend.open(quantizer, deadline));
  }

  public List<Backend> all() {
    return List.of(agent, hwsim, quantizer);
  }

  /** Fails all calls under way, so that their callers are answered. */
  public void abandon() {
    all().forEach(Backend::abandon);
  }

  @Override
  public void close() {
    all().forEach(Backend::close);
  }
}
