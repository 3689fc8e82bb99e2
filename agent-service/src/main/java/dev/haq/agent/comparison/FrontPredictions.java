package dev.haq.agent.comparison;

import dev.haq.agent.losses.PredictedFront;
import dev.haq.agent.search.BudgetLimit;
import dev.haq.agent.search.HardwareCosts;
import dev.haq.agent.search.ResourceBudget;
import dev.haq.agent.search.SearchSpace;
import dev.haq.agent.session.Backend;
import dev.haq.agent.session.Preparation;
import dev.haq.agent.session.SessionSpec;
import dev.haq.model.Network;
import dev.haq.model.Resource;
import java.util.List;
import java.util.function.Consumer;

/**
 * What bits would do at every cost, without a session: nothing is stored, and sensitivities are
 * measured as a session measures them, so that neither measures what the other has.
 */
public final class FrontPredictions {
  /** Between two reports of how far the measuring is. */
  private static final long PROGRESS_NANOS = 1_000_000_000;

  private final Backend.Factory backends;

  public FrontPredictions(Backend.Factory backends) {
    this.backends = backends;
  }

  /**
   * A front and what its policies are of.
   *
   * @param space whose only budget is of the resource, and met by every policy
   */
  public record Prediction(SearchSpace space, PredictedFront front) {
    public Network network() {
      return space.settings().network();
    }

    /** What cost ratios refer to. */
    public BudgetLimit budget() {
      return space.settings().mainBudget().budget();
    }

    /** Whether costs rest on parts of a cost model that no published figure checks. */
    public boolean isExtrapolated() {
      return space.settings().isExtrapolated();
    }
  }

  /**
   * Checks what a session's creation checks, but for the budget, then measures; blocks until done.
   *
   * @param progress told after the first measurement, then once a second
   * @param onAbort is given what ends the call under way, in case the caller leaves
   */
  public Prediction predict(
      FrontSpec spec, Consumer<Preparation> progress, Consumer<Runnable> onAbort) {
    SessionSpec search = spec.search();
    try (Backend backend = backends.open(search, false)) {
      onAbort.accept(backend::abort);
      Network network = backend.network();
      backend.checkData(network);
      SearchSpace space = space(search, network, backend.costs(network, search.target()));
      PredictedFront front =
          PredictedFront.measured(
              space, backend.sensitivities(network, nowAndThen(progress)), spec.maxPoints());
      return new Prediction(space, front);
    }
  }

  private static SearchSpace space(SessionSpec search, Network network, HardwareCosts costs) {
    Resource resource = search.mainBudget().resource();
    ResourceBudget unlimited =
        ResourceBudget.unlimited(
            costs.table(resource), BudgetLimit.reference(resource, network, costs));
    return new SearchSpace(
        search.searchSettings(
            network, List.of(unlimited), search.seed(), search.limits().episodes()));
  }

  private static Consumer<Preparation> nowAndThen(Consumer<Preparation> progress) {
    long[] told = {System.nanoTime() - PROGRESS_NANOS};
    return now -> {
      if (System.nanoTime() - told[0] >= PROGRESS_NANOS) {
        told[0] = System.nanoTime();
        progress.accept(now);
      }
    };
  }
}
