package dev.haq.agent.search;

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
 * @param createTime when it ended
 */
public record Episode(
    EpisodeResult result,
    boolean improved,
    double bestReward,
    List<Integer> improvedFor,
    Instant createTime) {
  public Episode {
    improvedFor = List.copyOf(improvedFor);
  }

  /**
   * The next entry of the log of a session with one target.
   *
   * @param bestBefore highest reward of the episodes before; empty for the first
   */
  public static Episode after(OptionalDouble bestBefore, EpisodeResult result, Instant now) {
    return after(bestBefore, FleetBests.NONE, result, now);
  }

  /**
   * The next entry of the log.
   *
   * @param bestBefore highest reward of the episodes before on the first target; empty for the
   *     first episode, which is proposed for that target
   */
  public static Episode after(
      OptionalDouble bestBefore, FleetBests bestsBefore, EpisodeResult result, Instant now) {
    boolean improved =
        bestBefore.isEmpty()
            || (result.isEligible(0) && result.reward() > bestBefore.getAsDouble());
    return new Episode(
        result,
        improved,
        improved ? result.reward() : bestBefore.getAsDouble(),
        bestsBefore.improvedBy(result),
        now);
  }

  public int number() {
    return result.number();
  }
}
