package dev.haq.agent.session;

import dev.haq.agent.agents.Agents;
import dev.haq.agent.ddpg.DdpgSettings;
import dev.haq.agent.search.LayerWidths;
import dev.haq.agent.search.Pinning;
import dev.haq.agent.search.ResourceBudget;
import dev.haq.agent.search.Reward;
import dev.haq.agent.search.SearchSettings;
import dev.haq.model.BitChoices;
import dev.haq.model.BitWidth;
import dev.haq.model.Budget;
import dev.haq.model.CostTable;
import dev.haq.model.DataSelection;
import dev.haq.model.FineTuning;
import dev.haq.model.HaqException;
import dev.haq.model.Network;
import dev.haq.model.Reason;
import dev.haq.model.Recipe;
import dev.haq.model.Resource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * What to search for, with what, and how; every default filled in.
 *
 * @param name for people, at most {@value #LONGEST_NAME} characters
 * @param model id of the model
 * @param data the images that judge a policy, of the split SEARCH; given as ALL, it is read so
 * @param budgets at least one, each of another resource; the first is the one ratios are given for
 * @param agent a name that {@link Agents} knows
 * @param limits what ends the session
 * @param seed the same seed gives the same episodes
 * @param weightBits within 2..8; empty for all of these that the target allows
 * @param activationBits likewise
 * @param layerWidths widths of single layers in place of these, within 2..8, each of another layer
 * @param reward what a policy is worth
 * @param furtherTargets beside {@code target}, each another one
 * @param finalFineTuning of the best policy's network; empty for none. Neither it nor the recipe
 *     trains on images that are held out
 */
public record SessionSpec(
    String name,
    String model,
    DataSelection data,
    TargetHandle target,
    List<Budget> budgets,
    String agent,
    SessionLimits limits,
    long seed,
    Recipe recipe,
    Optional<BitChoices> weightBits,
    Optional<BitChoices> activationBits,
    Pinning pinning,
    List<LayerWidths> layerWidths,
    DdpgSettings ddpg,
    Reward reward,
    Pace pace,
    List<Target> furtherTargets,
    Optional<FineTuning> finalFineTuning) {
  /**
   * A target with what policies may cost there.
   *
   * @param budgets at least one, each of another resource
   */
  public record Target(TargetHandle handle, List<Budget> budgets) {
    public Target {
      budgets = List.copyOf(budgets);
    }
  }

  private static final int MOST_TARGETS = 16;

  /**
   * How many episodes are under way.
   *
   * @param parallelEpisodes evaluated at a time, 1..64
   * @param learnWhileEvaluating whether the next episode is proposed before the last is learned
   *     from
   */
  public record Pace(int parallelEpisodes, boolean learnWhileEvaluating) {
    /** The paper's: one after the other. */
    public static final Pace ONE = new Pace(1, false);

    private static final int MOST_PARALLEL = 64;

    public Pace {
      if (parallelEpisodes < 1 || parallelEpisodes > MOST_PARALLEL) {
        throw HaqException.invalid(
            "spec.parallel_episodes is %d: use 1 to %d", parallelEpisodes, MOST_PARALLEL);
      }
    }

    /** Episodes proposed and not yet learned from, at most. */
    int window() {
      return parallelEpisodes + (learnWhileEvaluating ? 1 : 0);
    }
  }

  /** Enough for the paper's agent to get well past its warm-up within minutes. */
  public static final int DEFAULT_EPISODES = 120;

  static final int LONGEST_NAME = 200;

  public SessionSpec {
    if (name.length() > LONGEST_NAME) {
      throw HaqException.invalid(
          "spec.name has %d characters: use at most %d", name.length(), LONGEST_NAME);
    }
    if (model.isBlank()) {
      throw HaqException.invalid("spec.model is empty: give the id of a model");
    }
    budgets = List.copyOf(budgets);
    checkBudgets("spec.further_budgets", budgets);
    furtherTargets = List.copyOf(furtherTargets);
    checkTargets(target, furtherTargets);
    Agents.check(agent);
    weightBits.ifPresent(bits -> checkJudged("spec.weight_bits", bits));
    activationBits.ifPresent(bits -> checkJudged("spec.activation_bits", bits));
    layerWidths = List.copyOf(layerWidths);
    for (LayerWidths own : layerWidths) {
      String field = "spec.layer_widths of '%s'".formatted(own.layer());
      own.weightBits().ifPresent(bits -> checkJudged(field, bits));
      own.activationBits().ifPresent(bits -> checkJudged(field, bits));
    }
    checkJudging(data.split());
    data = searching(data);
    DataSelection judging = data;
    Recipe judged = recipe;
    recipe =
        recipe
            .fineTuning()
            .map(
                tuning -> judged.withFineTuning(unseen("spec.recipe.fine_tuning", tuning, judging)))
            .orElse(recipe);
    finalFineTuning =
        finalFineTuning.map(tuning -> unseen("spec.final_fine_tuning", tuning, judging));
  }

  /** Training that leaves alone what is held out of the images that judge. */
  private static FineTuning unseen(String field, FineTuning tuning, DataSelection judging) {
    Optional<DataSelection> own =
        tuning.data().filter(d -> d.datasetId().equals(judging.datasetId()));
    if (own.isEmpty()) {
      return tuning;
    }
    DataSelection data = own.get();
    if (data.split() == DataSelection.Split.HELD_OUT) {
      throw HaqException.invalid(
          "%s.data: the held-out images of '%s' judge the outcome: train on its split SEARCH or CALIBRATION, or on other data",
          field, data.datasetId());
    }
    return tuning.withData(
        searching(
            new DataSelection(
                data.datasetId(),
                data.preprocessing(),
                data.split(),
                data.maxImages(),
                data.calibrationImages(),
                judging.splitSeed(),
                judging.heldOutFraction())));
  }

  private static void checkTargets(TargetHandle first, List<Target> further) {
    if (further.size() >= MOST_TARGETS) {
      throw HaqException.invalid(
          "spec.further_targets are %d: a session has at most %d targets in all",
          further.size(), MOST_TARGETS);
    }
    List<TargetHandle> earlier = new ArrayList<>(List.of(first));
    for (Target target : further) {
      TargetHandle handle = target.handle();
      for (TargetHandle other : earlier) {
        if (Arrays.equals(other.encoded(), handle.encoded())) { // whatever they are called
          throw HaqException.invalid(
              "spec.further_targets: %s is given twice: give each target once", other.name());
        }
      }
      checkBudgets("spec.further_targets: %s".formatted(handle.name()), target.budgets());
      earlier.add(handle);
    }
  }

  private static void checkBudgets(String field, List<Budget> budgets) {
    if (budgets.isEmpty()) {
      throw HaqException.invalid("spec.budget is missing: give a limit on a resource");
    }
    Set<Resource> limited = EnumSet.noneOf(Resource.class);
    for (Budget budget : budgets) {
      if (!limited.add(budget.resource())) {
        throw HaqException.invalid(
            "%s limits %s a second time: give one budget a resource", field, budget.resource());
      }
    }
  }

  private static void checkJudged(String field, BitChoices choices) {
    for (int bits : choices.bits()) {
      if (!SearchSettings.JUDGED.contains(BitWidth.of(bits))) {
        throw new HaqException(
            Reason.INVALID_BITS,
            "%s has %d: accuracy can be evaluated at %d to %d bits only; choose among these"
                .formatted(field, bits, SearchSettings.JUDGED.min(), SearchSettings.JUDGED.max()));
      }
    }
  }

  /** Held-out images judge the outcome, calibration images set the scales of what is judged. */
  private static void checkJudging(DataSelection.Split split) {
    if (split == DataSelection.Split.HELD_OUT || split == DataSelection.Split.CALIBRATION) {
      throw HaqException.invalid(
          "spec.data.split is %s: policies are judged on the images of SEARCH only; choose that, or leave it out",
          split);
    }
  }

  /** A search judges policies on its own images: those held out of it stay unseen. */
  private static DataSelection searching(DataSelection data) {
    return data.split() == DataSelection.Split.ALL
        ? data.withSplit(DataSelection.Split.SEARCH)
        : data;
  }

  /** How the best policy's network is trained at the end; empty when it is not. */
  public Optional<Recipe> finalRecipe() {
    return finalFineTuning.map(recipe::trainedWith);
  }

  /** The budget that cost ratios are given for. */
  public Budget mainBudget() {
    return budgets.get(0);
  }

  /** All of them, in order. */
  public List<Target> targets() {
    List<Target> targets = new ArrayList<>(List.of(new Target(target, budgets)));
    targets.addAll(furtherTargets);
    return targets;
  }

  /**
   * What a search within these budgets needs to know. Where no widths were asked for, those that
   * every cost table has are chosen from.
   *
   * @param seed of the search's agent
   * @param episodes the agent's
   */
  public SearchSettings searchSettings(
      Network network, List<ResourceBudget> resources, long seed, int episodes) {
    return new SearchSettings(
        network,
        resources,
        weightBits.orElseGet(() -> judged(resources, CostTable::weightBits)),
        activationBits.orElseGet(() -> judged(resources, CostTable::activationBits)),
        pinning,
        layerWidths,
        reward,
        seed,
        episodes);
  }

  private static BitChoices judged(
      List<ResourceBudget> resources, Function<CostTable, BitChoices> choices) {
    return resources.stream()
        .map(resource -> choices.apply(resource.table()))
        .reduce(SearchSettings.JUDGED, BitChoices::intersect);
  }
}
