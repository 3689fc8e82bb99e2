package dev.haq.agent;

import dev.haq.agent.search.Reward;
import dev.haq.agent.search.Timings;
import dev.haq.agent.session.Episode;
import dev.haq.agent.session.SessionMetrics;
import dev.haq.agent.session.SessionService;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;

/**
 * What the service counts and times, in its process's registry. Nothing is told apart by session:
 * there is no end to them.
 */
final class AgentMetrics implements SessionMetrics {
  private final MeterRegistry registry;
  private final Timer episodes;
  private final Map<Reward, Latest> rewards = new EnumMap<>(Reward.class);
  private final Counter takenOver;
  private final Counter leasesLost;

  /** Rewards are mostly below 0, which a summary does not take: gauges show those of the latest. */
  private static final class Latest {
    private volatile double reward = Double.NaN;
    private volatile double best = Double.NaN;
  }

  AgentMetrics(MeterRegistry registry) {
    this.registry = registry;
    episodes =
        Timer.builder("haq.agent.episode")
            .description("Episodes, storing them not included")
            .register(registry);
    for (Reward kind : Reward.values()) {
      Latest latest = new Latest();
      rewards.put(kind, latest);
      Gauge.builder("haq.agent.episode.reward", latest, l -> l.reward)
          .description("Reward of the latest episode of any session that goes by this reward")
          .tag("reward", kind.name())
          .register(registry);
      Gauge.builder("haq.agent.episode.reward.best", latest, l -> l.best)
          .description("Best reward so far of the session that the latest episode is of")
          .tag("reward", kind.name())
          .register(registry);
    }
    takenOver =
        Counter.builder("haq.agent.leases.taken.over")
            .description("Sessions leased on which another process or an earlier one had worked")
            .register(registry);
    leasesLost =
        Counter.builder("haq.agent.leases.lost")
            .description("Sessions that another process leased while this one worked on them")
            .register(registry);
  }

  /** Follows how many sessions run, wait, are leased and are watched. */
  void observe(SessionService sessions) {
    Gauge.builder("haq.agent.sessions.running", sessions, SessionService::running)
        .description("Sessions that run now")
        .register(registry);
    Gauge.builder("haq.agent.sessions.queued", sessions, SessionService::queued)
        .description("Sessions that wait for a place to run")
        .register(registry);
    Gauge.builder("haq.agent.leases.held", sessions, SessionService::leased)
        .description("Sessions whose lease this process holds")
        .register(registry);
    Gauge.builder("haq.agent.watches", sessions, SessionService::watching)
        .description("Open watches")
        .register(registry);
  }

  @Override
  public void episode(Reward reward, Episode episode, double storeSeconds) {
    Latest latest = rewards.get(reward);
    latest.reward = episode.result().reward();
    latest.best = episode.bestReward();
    Timings timings = episode.result().timings();
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

  @Override
  public void takenOver() {
    takenOver.increment();
  }

  @Override
  public void leaseLost() {
    leasesLost.increment();
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
