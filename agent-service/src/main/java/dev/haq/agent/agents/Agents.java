package dev.haq.agent.agents;

import dev.haq.agent.ddpg.Ddpg;
import dev.haq.agent.ddpg.DdpgSettings;
import dev.haq.agent.search.Agent;
import dev.haq.agent.search.SearchSpace;
import dev.haq.agent.search.SensitivityMeter;
import dev.haq.model.HaqException;
import java.util.List;
import java.util.stream.Collectors;

/** The agents a session may name. */
public final class Agents {
  /** What is known beforehand, then what can be learned: the default. */
  public static final String AUTO = "auto";

  /** The paper's. */
  public static final String DDPG = "ddpg";

  /** Dynamic programming over sensitivities. */
  public static final String DP = "dp";

  public static final String EVOLUTION = "evolution";
  public static final String GREEDY = "greedy";
  public static final String RANDOM = "random";
  public static final String UNIFORM = "uniform";

  private static final List<String> NAMES =
      List.of(AUTO, DDPG, DP, EVOLUTION, GREEDY, RANDOM, UNIFORM);

  /** A snapshot is stored after each episode, and held in memory a few times while it is. */
  private static final long MOST_SNAPSHOT_BYTES = 128L << 20;

  private Agents() {}

  /** Refuses a name that {@link #create} does not know. */
  public static void check(String name) {
    if (!NAMES.contains(name)) {
      throw HaqException.invalid("there is no agent '%s': use one of %s", name, NAMES);
    }
  }

  /**
   * Refuses settings with which the snapshots of agents of this name would grow beyond 128 MiB
   * together.
   *
   * @param decisions of an episode, of each agent
   * @throws HaqException that names the settings to lower
   */
  public static void checkSize(String name, List<Integer> decisions, DdpgSettings ddpg) {
    long bytes = decisions.stream().mapToLong(d -> mostSnapshotBytes(name, d, ddpg)).sum();
    if (bytes > MOST_SNAPSHOT_BYTES) {
      throw HaqException.invalid(
          "agent %s with ddpg hidden1 %d, hidden2 %d and replay_per_decision %d and %s decisions an episode makes a checkpoint of %d MiB, at most %d are taken: lower these",
          name,
          ddpg.hidden1(),
          ddpg.hidden2(),
          ddpg.replayPerDecision(),
          decisions.stream().map(String::valueOf).collect(Collectors.joining(" + ")),
          (bytes >> 20) + 1,
          MOST_SNAPSHOT_BYTES >> 20);
    }
  }

  /** Of the agents that remember much. */
  private static long mostSnapshotBytes(String name, int decisions, DdpgSettings ddpg) {
    return switch (name) {
      case DDPG -> Ddpg.mostSnapshotBytes(ddpg, decisions);
      case AUTO -> AutoAgent.ownBytes(decisions) + Ddpg.mostSnapshotBytes(ddpg, decisions);
      default -> 0;
    };
  }

  /**
   * A new agent that has learned nothing.
   *
   * @param meter asked by {@code auto}, {@code dp} and {@code greedy} alone
   * @param ddpg used by {@code ddpg} and {@code auto} alone
   */
  public static Agent create(
      String name, SearchSpace space, SensitivityMeter meter, DdpgSettings ddpg) {
    check(name);
    return switch (name) {
      case DDPG -> new Ddpg(ddpg, space.decisions().size(), space.settings().seed());
      case DP -> new DynamicProgramAgent(space, meter.measure(space.decisions()));
      case EVOLUTION -> new EvolutionAgent(space);
      case GREEDY -> new GreedyAgent(space, meter.measure(space.decisions()));
      case RANDOM -> new RandomAgent(space.decisions().size(), space.settings().seed());
      case UNIFORM -> new UniformAgent(space);
      default -> new AutoAgent(space, meter.measure(space.decisions()), ddpg);
    };
  }
}
