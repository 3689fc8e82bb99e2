package dev.haq.agent.search;

import java.time.Instant;
import java.util.OptionalDouble;

/**
 * An episode as a session's log keeps it.
 *
 * @param improved whether its reward was higher than every one before
 * @param bestReward highest reward up to and including this episode
 * @param createTime when it ended
 */
public record Episode(
    EpisodeResult result, boolean improved, double bestReward, Instant createTime) {
  /**
   * The next entry of the log.
   *
   * @param bestBefore highest reward of the episodes before; empty for the first
   */
  public static Episode after(OptionalDouble bestBefore, EpisodeResult result, Instant now) {
    boolean improved = bestBefore.isEmpty() || result.reward() > bestBefore.getAsDouble();
    return new Episode(
        result, improved, improved ? result.reward() : bestBefore.getAsDouble(), now);
  }

  public int number() {
    return result.number();
  }
}
