package dev.haq.cli;

import dev.haq.model.Budget;
import dev.haq.model.HaqException;
import dev.haq.model.Resource;
import dev.haq.proto.agent.v1.SessionSpec;
import java.util.Set;
import java.util.TreeSet;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How to search. */
final class SearchOptions {
  private static final Set<String> AGENTS = new TreeSet<>(Set.of("ddpg", "random", "uniform"));
  private static final int MOST_EPISODES = 100_000;

  @Option(
      names = "--budget",
      required = true,
      paramLabel = "LIMIT",
      description =
          "A ratio of the 8-bit cost (of the float size), such as 0.6, or an amount: 12ms, 3mJ,"
              + " 1.5MB.")
  private String budget;

  @Option(
      names = "--resource",
      paramLabel = "R",
      description = "latency (the default), energy or size.")
  private String resource;

  @Option(
      names = "--agent",
      paramLabel = "A",
      defaultValue = "ddpg",
      description = "ddpg (the default), random or uniform.")
  private String agent;

  @Option(
      names = "--episodes",
      paramLabel = "N",
      defaultValue = "120",
      description = "Episodes; ${DEFAULT-VALUE} by default.")
  private int episodes;

  @Option(
      names = "--seed",
      paramLabel = "S",
      defaultValue = "1",
      description = "The same seed gives the same policy; ${DEFAULT-VALUE} by default.")
  private long seed;

  @Mixin private RecipeOptions recipe;

  @Option(
      names = "--search-first-and-last",
      description = "Search the first and the last layer too, otherwise kept at 8 bits.")
  private boolean searchFirstAndLast;

  static void checkEpisodes(int episodes) {
    if (episodes < 1 || episodes > MOST_EPISODES) {
      throw HaqException.invalid("--episodes %d: use 1 to %d", episodes, MOST_EPISODES);
    }
  }

  Budget budget() {
    Resource wanted = resource == null ? null : ResourceOption.parse(resource);
    return BudgetText.parse(budget, wanted);
  }

  /** Fills in everything but the model, the data and the target. */
  void fill(SessionSpec.Builder spec) {
    checkEpisodes(episodes);
    if (!AGENTS.contains(agent)) {
      throw HaqException.invalid("--agent %s: use one of %s", agent, AGENTS);
    }
    Budget limit = budget();
    dev.haq.proto.model.v1.Budget.Builder message =
        spec.getBudgetBuilder().setResource(ResourceOption.toProto(limit.resource()));
    if (limit.kind() == Budget.Kind.RATIO) {
      message.setRatio(limit.value());
    } else {
      message.setAbsolute(limit.value());
    }
    spec.setAgent(agent)
        .setEpisodes(episodes)
        .setSeed(seed)
        .setRecipe(recipe.recipe())
        .setSearchFirstAndLast(searchFirstAndLast);
  }
}
