package dev.haq.agent.search;

import dev.haq.model.Accuracy;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * A session as it is stored, without its episodes.
 *
 * @param updateTime of the last change of status or episode
 */
public record SessionRecord(
    Definition definition, Status status, Progress progress, Instant updateTime) {
  /**
   * What a session is from its creation on.
   *
   * @param requestId the caller's idempotency key; empty when it gave none
   * @param spec what was asked for, every default filled in, as the edge encoded it; opaque here
   * @param layers names of the network's quantizable layers, in order
   * @param budget limit and reference, in the resource's unit
   * @param episodesTotal how many it is to have
   * @param createTime to the microsecond, as databases keep it
   */
  public record Definition(
      String id,
      String requestId,
      String spec,
      List<String> layers,
      BudgetLimit budget,
      int episodesTotal,
      Instant createTime) {
    public Definition {
      layers = List.copyOf(layers);
    }
  }

  /**
   * Where it stands.
   *
   * @param pauseRequested whether it is to pause after the episode under way
   * @param endReason empty until it has ended
   * @param error one line, of failed sessions; empty otherwise
   */
  public record Status(
      SessionState state, boolean pauseRequested, Optional<EndReason> endReason, String error) {
    static final Status NEW = of(SessionState.QUEUED, false);

    static Status of(SessionState state, boolean pauseRequested) {
      return new Status(state, pauseRequested, Optional.empty(), "");
    }
  }

  /**
   * How far it has come.
   *
   * @param episodeSeconds wall time of the episodes done, summed
   * @param baseline the float model on the search images; empty until prepared
   * @param best the episode with the highest reward, the earliest of equals; empty before the first
   */
  public record Progress(
      int episodesDone,
      double episodeSeconds,
      Optional<Accuracy> baseline,
      Optional<Episode> best) {
    static final Progress NONE = new Progress(0, 0, Optional.empty(), Optional.empty());
  }

  /** A session that waits for its first episode. */
  public static SessionRecord created(Definition definition) {
    return new SessionRecord(definition, Status.NEW, Progress.NONE, definition.createTime());
  }

  public String id() {
    return definition.id();
  }

  public SessionState state() {
    return status.state();
  }

  /**
   * In another state, one that has not ended. A wish to pause lives on until the session has paused
   * or is stopping.
   */
  public SessionRecord moved(SessionState next, Instant now) {
    state().checkMayBecome(next, id());
    boolean pause =
        status.pauseRequested() && (next == SessionState.PREPARING || next == SessionState.RUNNING);
    return new SessionRecord(definition, Status.of(next, pause), progress, now);
  }

  /**
   * In a final state.
   *
   * @param error one line of a failed session, else empty
   */
  public SessionRecord ended(SessionState last, EndReason why, String error, Instant now) {
    state().checkMayBecome(last, id());
    return new SessionRecord(
        definition, new Status(last, false, Optional.of(why), error), progress, now);
  }

  public SessionRecord withPauseRequested(boolean requested, Instant now) {
    return new SessionRecord(definition, Status.of(state(), requested), progress, now);
  }

  public SessionRecord withBaseline(Accuracy baseline) {
    Progress known =
        new Progress(
            progress.episodesDone(),
            progress.episodeSeconds(),
            Optional.of(baseline),
            progress.best());
    return new SessionRecord(definition, status, known, updateTime);
  }

  /** With one more episode in its log. */
  public SessionRecord with(Episode episode) {
    Progress further =
        new Progress(
            episode.number(),
            progress.episodeSeconds() + episode.result().timings().total(),
            progress.baseline(),
            episode.improved() ? Optional.of(episode) : progress.best());
    return new SessionRecord(definition, status, further, episode.createTime());
  }
}
