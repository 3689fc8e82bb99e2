package dev.haq.cli;

import dev.haq.model.Budget;
import dev.haq.model.HaqException;
import dev.haq.model.Resource;
import dev.haq.proto.agent.v1.Reward;
import dev.haq.proto.agent.v1.SessionSpec;
import dev.haq.wire.CostWire;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How to search. */
final class SearchOptions {
  private static final Set<String> AGENTS =
      new TreeSet<>(Set.of("auto", "ddpg", "dp", "evolution", "greedy", "random", "uniform"));
  private static final String ALSO = "--also";
  private static final int MOST_EPISODES = 100_000;

  /** As the agent service takes. */
  private static final int MOST_PARALLEL = 64;

  @Option(
      names = "--budget",
      required = true,
      paramLabel = "LIMIT",
      description =
          "A ratio of the 8-bit cost (of the float size), above 0 and at most 1, such as 0.6; or an"
              + " amount: 12ms, 3mJ, 1.5MB.")
  private String budget;

  @Option(
      names = ALSO,
      paramLabel = "RESOURCE=LIMIT",
      description =
          "A further budget on another resource, such as energy=0.7 or size=1MB; repeatable. The"
              + " policy meets all of them.")
  private List<String> also = new ArrayList<>();

  @Option(
      names = "--resource",
      paramLabel = "R",
      description = "latency (the default), energy or size.")
  private String resource;

  @Option(
      names = "--agent",
      paramLabel = "A",
      defaultValue = "auto",
      description = {
        "Who proposes policies:",
        "auto (the default): first the policies of dp, greedy and uniform; then, in turn, a dynamic"
            + " program that learns from every episode, small changes to the best policy, and ddpg;",
        "ddpg: the paper's reinforcement learning;",
        "dp: dynamic programming over each layer's measured sensitivity;",
        "greedy: lowers what loses least for the cost it saves, then trades single widths;",
        "evolution: regularised evolution;",
        "random, uniform: to compare with."
      })
  private String agent;

  @Option(
      names = "--reward",
      paramLabel = "R",
      description =
          "What a policy is worth: accuracy (the paper's; the default of every agent but auto),"
              + " cross-entropy, or divergence from the float model (auto's default).")
  private String reward;

  @Option(
      names = "--parallel",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Episodes evaluated at a time, 1 to 64; ${DEFAULT-VALUE} by default. Seed and N determine"
              + " the policy.")
  private int parallel;

  @Option(
      names = "--episodes",
      paramLabel = "N",
      defaultValue = "120",
      description = "Episodes, 1 to 100,000; ${DEFAULT-VALUE} by default.")
  private int episodes;

  @Option(
      names = "--seed",
      paramLabel = "S",
      defaultValue = "1",
      description = "The same seed gives the same policy; ${DEFAULT-VALUE} by default.")
  private long seed;

  @Option(
      names = "--learn-while-evaluating",
      description =
          "Learn from one episode while the next is evaluated. Faster, but each proposal lacks the"
              + " result of the episode before it.")
  private boolean learnWhileEvaluating;

  @Mixin private DdpgOptions ddpg;

  @Mixin private EarlyEndOptions early;

  @Mixin private RecipeOptions recipe;

  @Mixin private WidthOptions widthOptions;

  static void checkEpisodes(int episodes) {
    if (episodes < 1 || episodes > MOST_EPISODES) {
      throw HaqException.invalid("--episodes %d: use 1 to %d", episodes, MOST_EPISODES);
    }
  }

  Budget budget() {
    Resource wanted = resource == null ? null : ResourceOption.parse("--resource", resource);
    return BudgetText.parse(budget, wanted);
  }

  /** Fills in everything but the model, the data and the target. */
  void fill(SessionSpec.Builder spec) {
    checkEpisodes(episodes);
    if (!AGENTS.contains(agent)) {
      throw HaqException.invalid("--agent %s: use one of %s", agent, AGENTS);
    }
    if (parallel < 1 || parallel > MOST_PARALLEL) {
      throw HaqException.invalid("--parallel %d: use 1 to %d", parallel, MOST_PARALLEL);
    }
    List<Budget> budgets = budgets();
    spec.setBudget(CostWire.toProto(budgets.get(0)));
    budgets.stream().skip(1).forEach(budget -> spec.addFurtherBudgets(CostWire.toProto(budget)));
    spec.setAgent(agent)
        .setReward(reward())
        .setParallelEpisodes(parallel)
        .setLearnWhileEvaluating(learnWhileEvaluating)
        .setEpisodes(episodes)
        .setSeed(seed)
        .setRecipe(recipe.recipe());
    WidthOptions.Widths widths = widthOptions.widths();
    widths.weightBits().ifPresent(spec::setWeightBits);
    widths.activationBits().ifPresent(spec::setActivationBits);
    spec.setSearchFirstAndLast(widths.searchFirstAndLast()).addAllLayerWidths(widths.layers());
    ddpg.fill(spec);
    early.fill(spec);
  }

  /** All of them, {@code --budget} first. */
  List<Budget> budgets() {
    List<Budget> budgets = new ArrayList<>(List.of(budget()));
    KeyValues.of(ALSO, "RESOURCE=LIMIT, such as energy=0.7", also)
        .forEach(
            (name, text) ->
                budgets.add(BudgetText.parse(ALSO, text, ResourceOption.parse(ALSO, name))));
    return budgets;
  }

  private Reward reward() {
    if (reward == null) {
      return Reward.REWARD_UNSPECIFIED;
    }
    return switch (reward) {
      case "accuracy" -> Reward.ACCURACY;
      case "cross-entropy" -> Reward.CROSS_ENTROPY;
      case "divergence" -> Reward.KL_DIVERGENCE;
      default ->
          throw HaqException.invalid(
              "--reward %s: use accuracy, cross-entropy or divergence", reward);
    };
  }
}
