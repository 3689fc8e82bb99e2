package dev.haq.agent.search;

import dev.haq.model.BitChoices;
import dev.haq.model.HaqException;
import dev.haq.model.Layer;
import dev.haq.model.Network;
import dev.haq.model.Resource;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What one search looks for.
 *
 * @param budgets at least one, each of another resource or another target; a policy has to meet all
 *     of them. The first is the one that cost ratios are given for
 * @param weightBits widths to choose from; each must be in the cost tables and in {@link #JUDGED}
 * @param activationBits likewise; not used where model size alone is limited, where activations
 *     stay float
 * @param layerWidths exceptions from the widths to choose from and from the pinning, each of
 *     another layer of the network
 * @param reward what a policy is worth
 * @param seed the same seed gives the same episodes
 * @param episodes 1..100,000
 */
public record SearchSettings(
    Network network,
    List<ResourceBudget> budgets,
    BitChoices weightBits,
    BitChoices activationBits,
    Pinning pinning,
    List<LayerWidths> layerWidths,
    Reward reward,
    long seed,
    int episodes) {
  /** The widths at which the accuracy of a policy can be had, beside float. */
  public static final BitChoices JUDGED = BitChoices.range(2, 8);

  /** The most episodes a session may have. */
  public static final int MOST_EPISODES = 100_000;

  /** How many layers an error names. */
  private static final int NAMED_LAYERS = 8;

  /** Without exceptions. */
  public SearchSettings(
      Network network,
      List<ResourceBudget> budgets,
      BitChoices weightBits,
      BitChoices activationBits,
      Pinning pinning,
      Reward reward,
      long seed,
      int episodes) {
    this(network, budgets, weightBits, activationBits, pinning, List.of(), reward, seed, episodes);
  }

  private record Limited(String target, Resource resource) {}

  public SearchSettings {
    budgets = List.copyOf(budgets);
    if (budgets.isEmpty()) {
      throw HaqException.invalid("a search needs a budget");
    }
    Set<Limited> limited = new HashSet<>();
    for (ResourceBudget budget : budgets) {
      if (!limited.add(new Limited(budget.target(), budget.resource()))) {
        throw HaqException.invalid(
            "there are two budgets of %s: give one a resource", budget.resource());
      }
    }
    layerWidths = List.copyOf(layerWidths);
    Set<String> exceptions = new HashSet<>();
    List<String> names = network.layers().stream().map(Layer::name).toList();
    for (LayerWidths exception : layerWidths) {
      String name = exception.layer();
      if (!names.contains(name)) {
        throw HaqException.invalid(
            "layer_widths: the model has no layer '%s': it has %s%s",
            name,
            String.join(", ", names.subList(0, Math.min(NAMED_LAYERS, names.size()))),
            names.size() > NAMED_LAYERS ? " and others" : "");
      }
      if (!exceptions.add(name)) {
        throw HaqException.invalid("layer_widths: layer '%s' is named twice: name it once", name);
      }
    }
    if (episodes < 1 || episodes > MOST_EPISODES) {
      throw HaqException.invalid("episodes %d: use 1 to %d", episodes, MOST_EPISODES);
    }
  }

  /** The exception that a layer is. */
  Optional<LayerWidths> layerWidths(int layer) {
    String name = network.layer(layer).name();
    return layerWidths.stream().filter(exception -> exception.layer().equals(name)).findFirst();
  }

  /** The first budget: cost ratios are of its resource. */
  public ResourceBudget mainBudget() {
    return budgets.get(0);
  }

  /** Whether any cost rests on parts of a cost model that no published figure checks. */
  public boolean isExtrapolated() {
    return budgets.stream().anyMatch(budget -> budget.table().extrapolated());
  }

  /** Whether only weights are searched (paper, 3.4): nothing but the model's size is limited. */
  public boolean weightsOnly() {
    return budgets.stream().allMatch(budget -> budget.resource() == Resource.MODEL_SIZE);
  }
}
