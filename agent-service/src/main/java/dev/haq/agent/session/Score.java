package dev.haq.agent.session;

import dev.haq.agent.search.EpisodeResult;
import dev.haq.agent.search.TargetCost;
import java.util.List;
import java.util.Optional;

/**
 * What fronts are made of: an episode of the log without its policy and all the rest.
 *
 * @param number the episode's
 * @param top1 accuracy on the search images, percentage points
 * @param costs as of {@link EpisodeResult}
 */
public record Score(int number, double reward, double top1, List<Optional<TargetCost>> costs) {
  public Score {
    costs = List.copyOf(costs);
  }
}
