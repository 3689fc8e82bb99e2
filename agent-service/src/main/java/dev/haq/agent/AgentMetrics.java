package dev.haq.agent;

import dev.haq.agent.search.Timings;
import dev.haq.agent.session.SessionMetrics;
import dev.haq.agent.session.SessionService;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;

/** What the service counts and times, in its process's registry. */
final class AgentMetrics implements SessionMetrics {
  private final MeterRegistry registry;
  private final Timer episodes;

  AgentMetrics(MeterRegistry registry) {
    this.registry = registry;
    episodes =
        Timer.builder("haq.agent.episode")
            .description("Episodes, storing them not included")
            .register(registry);
  }

  /** Follows how many sessions run, wait and are watched. */
  void observe(SessionService sessions) {
    Gauge.builder("haq.agent.sessions.running", sessions, SessionService::running)
        .description("Sessions that run now")
        .register(registry);
    Gauge.builder("haq.agent.sessions.queued", sessions, SessionService::queued)
        .description("Sessions that wait for a place to run")
        .register(registry);
    Gauge.builder("haq.agent.watches", sessions, SessionService::watching)
        .description("Open watches")
        .register(registry);
  }

  @Override
  public void episode(Timings timings, double storeSeconds) {
    episodes.record(seconds(timings.total()));
    part("agent", timings.agent());
    part("simulator", timings.simulator());
    part("quantizer", timings.quantizer());
    part("store", storeSeconds);
  }

  @Override
  public void ended(String state) {
    registry.counter("haq.agent.sessions.ended", "state", state).increment();
  }

  private void part(String name, double time) {
    Timer.builder("haq.agent.episode.part")
        .description("Parts of an episode")
        .tag("part", name)
        .register(registry)
        .record(seconds(time));
  }

  private static Duration seconds(double time) {
    return Duration.ofNanos(Math.round(time * 1e9));
  }
}
