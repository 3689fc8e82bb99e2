package dev.haq.agent.baseline;

import dev.haq.agent.ddpg.Ddpg;
import dev.haq.agent.ddpg.DdpgSettings;
import dev.haq.agent.search.Agent;
import dev.haq.agent.search.Decisions;
import dev.haq.agent.search.SearchSettings;
import dev.haq.model.HaqException;
import java.util.List;

/** The agents a session may name. */
public final class Agents {
  public static final String DDPG = "ddpg";
  public static final String RANDOM = "random";
  public static final String UNIFORM = "uniform";

  private static final List<String> NAMES = List.of(DDPG, RANDOM, UNIFORM);

  private Agents() {}

  /** Refuses a name that {@link #create} does not know. */
  public static void check(String name) {
    if (!NAMES.contains(name)) {
      throw HaqException.invalid("there is no agent '%s': use one of %s", name, NAMES);
    }
  }

  /**
   * Refuses settings with which an agent of this name would take too much memory.
   *
   * @param decisions of an episode
   * @throws HaqException that names the settings to lower
   */
  public static void checkSize(String name, Decisions decisions, DdpgSettings ddpg) {
    if (name.equals(DDPG)) {
      Ddpg.checkSize(ddpg, decisions.size());
    }
  }

  /**
   * A new agent that has learned nothing.
   *
   * @param ddpg used by {@code ddpg} alone
   */
  public static Agent create(
      String name, SearchSettings settings, Decisions decisions, DdpgSettings ddpg) {
    check(name);
    return switch (name) {
      case RANDOM -> new RandomAgent(settings.seed());
      case UNIFORM ->
          new UniformAgent(
              Math.max(settings.weightBits().size(), settings.activationBits().size()));
      default -> new Ddpg(ddpg, decisions.size(), settings.seed());
    };
  }
}
