package dev.haq.agent.session;

import dev.haq.agent.search.EpisodeResult;
import java.time.Instant;
import java.util.List;
import java.util.OptionalDouble;

/**
 * An episode as a session's log keeps it.
 *
 * @param improved whether it is eligible on the session's first target, and its reward there higher
 *     than every one before
 * @param bestReward highest reward on the first target up to and including this episode
 * @param improvedFor the aims beside the first target whose best it is so far, ascending; see
 *     {@link Fleet}
 * @param elapsedSeconds wall time since the episode before was to be stored, or since the session
 *     began or went on with its episodes: what runs side by side counts once
 * @param createTime when it ended
 */
public record Episode(
    EpisodeResult result,
    boolean improved,
    double bestReward,
    List<Integer> improvedFor,
    double elapsedSeconds,
    Instant createTime) {
  public Episode {
    improvedFor = List.copyOf(improvedFor);
  }

  /**
   * The next entry of the log.
   *
   * @param bestBefore highest reward of the episodes before on the first target; empty for the
   *     first episode, which is proposed for that target
   */
  public static Episode after(
      OptionalDouble bestBefore,
      FleetBests bestsBefore,
      EpisodeResult result,
      double elapsedSeconds,
      Instant now) {
    boolean improved =
        bestBefore.isEmpty()
            || (result.isEligible(0) && result.reward() > bestBefore.getAsDouble());
    return new Episode(
        result,
        improved,
        improved ? result.reward() : bestBefore.getAsDouble(),
        bestsBefore.improvedBy(result),
        elapsedSeconds,
        now);
  }

  public int number() {
    return result.number();
  }
}
