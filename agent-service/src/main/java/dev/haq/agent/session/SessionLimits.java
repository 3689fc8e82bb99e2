package dev.haq.agent.session;

import dev.haq.agent.search.SearchSettings;
import dev.haq.model.HaqException;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * What ends a session. All of it can be told from what is stored, so that a session ends in the
 * same episode however often it was interrupted.
 *
 * @param episodes how many it is to have, 1..100,000
 * @param wallSeconds that the episodes take ({@link Episode#elapsedSeconds}), above 0; empty for
 *     any
 * @param episodesWithoutImprovement how many episodes in a row may bring no better reward, on any
 *     target, at least 1; empty for any
 * @param top1 accuracy of the best policy, of each target, that is enough, percentage points,
 *     0..100; empty for none
 */
public record SessionLimits(
    int episodes,
    OptionalDouble wallSeconds,
    OptionalInt episodesWithoutImprovement,
    OptionalDouble top1) {
  public SessionLimits {
    if (episodes < 1 || episodes > SearchSettings.MOST_EPISODES) {
      throw HaqException.invalid(
          "episodes is %d: use 1 to %d", episodes, SearchSettings.MOST_EPISODES);
    }
    if (wallSeconds.isPresent() && !(wallSeconds.getAsDouble() > 0)) {
      throw HaqException.invalid(
          "early_ends.wall_seconds is %s: it must be above 0", wallSeconds.getAsDouble());
    }
    if (episodesWithoutImprovement.isPresent() && episodesWithoutImprovement.getAsInt() < 1) {
      throw HaqException.invalid(
          "early_ends.episodes_without_improvement is %d: use at least 1",
          episodesWithoutImprovement.getAsInt());
    }
    if (top1.isPresent() && !(top1.getAsDouble() >= 0 && top1.getAsDouble() <= 100)) {
      throw HaqException.invalid(
          "early_ends.top1 is %s: it is a percentage, 0 to 100", top1.getAsDouble());
    }
  }

  /** So many episodes, and nothing else. */
  public static SessionLimits episodes(int episodes) {
    return new SessionLimits(
        episodes, OptionalDouble.empty(), OptionalInt.empty(), OptionalDouble.empty());
  }

  /** Why a session that has come so far is over; empty when it is not. */
  public Optional<EndReason> reached(SessionRecord.Progress progress) {
    if (top1.isPresent() && progress.bests().stream().allMatch(this::isGoal)) {
      return Optional.of(EndReason.GOAL);
    }
    if (progress.episodesDone() >= episodes) {
      return Optional.of(EndReason.EPISODES);
    }
    if (episodesWithoutImprovement.isPresent()
        && progress.best().isPresent()
        && progress.episodesDone() - progress.improvedAt()
            >= episodesWithoutImprovement.getAsInt()) {
      return Optional.of(EndReason.CONVERGED);
    }
    if (wallSeconds.isPresent() && progress.episodeSeconds() >= wallSeconds.getAsDouble()) {
      return Optional.of(EndReason.WALL_TIME);
    }
    return Optional.empty();
  }

  /**
   * Refuses limits, but for the number of episodes, that a session has come to already: extended by
   * them it would end at once.
   */
  public void checkAhead(SessionRecord.Progress progress) {
    Optional<EndReason> reached = reached(progress);
    if (reached.isEmpty()) {
      return;
    }
    String refusal =
        switch (reached.get()) {
          case GOAL ->
              "top1 is %s, and the best policy is as accurate already"
                  .formatted(top1.getAsDouble());
          case CONVERGED ->
              "episodes_without_improvement is %d, and there were %d at the end already"
                  .formatted(
                      episodesWithoutImprovement.getAsInt(),
                      progress.episodesDone() - progress.improvedAt());
          case WALL_TIME ->
              "wall_seconds is %s, and the episodes have taken %.0f s already"
                  .formatted(wallSeconds.getAsDouble(), progress.episodeSeconds());
          default -> "";
        };
    if (!refusal.isEmpty()) {
      throw HaqException.invalid(
          "early_ends.%s: the session would end at once; ask for more, or leave it out", refusal);
    }
  }

  private boolean isGoal(Optional<Episode> best) {
    return best.isPresent() && best.get().result().accuracy().top1() >= top1.getAsDouble();
  }
}
