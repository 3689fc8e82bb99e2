package dev.haq.agent.session;

import dev.haq.agent.baseline.Agents;
import dev.haq.agent.ddpg.DdpgSettings;
import dev.haq.agent.search.BudgetLimit;
import dev.haq.agent.search.Pinning;
import dev.haq.agent.search.SearchSettings;
import dev.haq.agent.search.SessionLimits;
import dev.haq.model.BitChoices;
import dev.haq.model.BitWidth;
import dev.haq.model.Budget;
import dev.haq.model.CostTable;
import dev.haq.model.DataSelection;
import dev.haq.model.HaqException;
import dev.haq.model.Network;
import dev.haq.model.Reason;
import dev.haq.model.Recipe;
import java.util.Optional;

/**
 * What to search for, with what, and how; every default filled in.
 *
 * @param name for people, at most {@value #LONGEST_NAME} characters
 * @param model id of the model
 * @param data the images that judge a policy; never all of them, see {@link #searching}
 * @param agent a name that {@link Agents} knows
 * @param limits what ends the session
 * @param seed the same seed gives the same episodes
 * @param weightBits within 2..8; empty for all of these that the target allows
 * @param activationBits likewise
 */
public record SessionSpec(
    String name,
    String model,
    DataSelection data,
    TargetHandle target,
    Budget budget,
    String agent,
    SessionLimits limits,
    long seed,
    Recipe recipe,
    Optional<BitChoices> weightBits,
    Optional<BitChoices> activationBits,
    Pinning pinning,
    DdpgSettings ddpg) {
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
    Agents.check(agent);
    weightBits.ifPresent(bits -> checkJudged("spec.weight_bits", bits));
    activationBits.ifPresent(bits -> checkJudged("spec.activation_bits", bits));
    data = searching(data);
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

  /** A search judges policies on its own images: those held out of it stay unseen. */
  private static DataSelection searching(DataSelection data) {
    return data.split() == DataSelection.Split.ALL
        ? data.withSplit(DataSelection.Split.SEARCH)
        : data;
  }

  /** What the search itself needs to know, on this network and target. */
  SearchSettings searchSettings(Network network, CostTable table, BudgetLimit limit) {
    return new SearchSettings(
        network,
        budget.resource(),
        limit,
        weightBits.orElseGet(() -> SearchSettings.JUDGED.intersect(table.weightBits())),
        activationBits.orElseGet(() -> SearchSettings.JUDGED.intersect(table.activationBits())),
        pinning,
        seed,
        limits.episodes());
  }
}
