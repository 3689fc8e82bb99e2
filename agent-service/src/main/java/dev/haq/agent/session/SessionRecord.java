package dev.haq.agent.session;

import dev.haq.agent.search.BudgetLimit;
import dev.haq.agent.search.EpisodeResult;
import dev.haq.model.Accuracy;
import dev.haq.model.HaqException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A session as it is stored, without its episodes.
 *
 * @param limits what ends it
 * @param version which change of the session this is, and whose
 * @param updateTime of the last change of status or episode
 */
public record SessionRecord(
    Definition definition,
    SessionLimits limits,
    Status status,
    Progress progress,
    Version version,
    Instant updateTime) {
  /**
   * What a session is from its creation on.
   *
   * @param requestId the caller's idempotency key; empty when it gave none
   * @param spec what was asked for, every default filled in, as the edge encoded it; opaque here
   * @param layers names of the network's quantizable layers, in order
   * @param budgets limits and references of the first target's budgets, in the spec's order, each
   *     in its resource's unit; the first alone in sessions that were stored before the others were
   * @param extrapolated whether costs rest on parts of a model that no published figure checks
   * @param fleet the targets, where there are several
   * @param createTime to the microsecond, as databases keep it
   */
  public record Definition(
      String id,
      String requestId,
      String spec,
      List<String> layers,
      List<BudgetLimit> budgets,
      boolean extrapolated,
      Fleet fleet,
      Instant createTime) {
    public Definition {
      layers = List.copyOf(layers);
      budgets = List.copyOf(budgets);
    }

    /** Of the budget that ratios of cost are of. */
    public BudgetLimit mainBudget() {
      return budgets.get(0);
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
   * @param episodeSeconds wall time that the episodes done took, see {@link Episode#elapsedSeconds}
   * @param baseline the float model on the search images; empty until prepared
   * @param best the episode with the highest reward of those eligible on the first target, the
   *     earliest of equals; empty before the first
   * @param fleet the best of the other targets and of all together
   * @param tunings the outcomes of final fine-tuning
   */
  public record Progress(
      int episodesDone,
      double episodeSeconds,
      Optional<Accuracy> baseline,
      Optional<Episode> best,
      FleetBests fleet,
      Tunings tunings) {
    static Progress none(Fleet fleet) {
      FleetBests bests = FleetBests.of(fleet);
      return new Progress(
          0, 0, Optional.empty(), Optional.empty(), bests, Tunings.none(bests.aims()));
    }

    /** Whether the network of each best policy has been trained. */
    public boolean isTuned() {
      return best.isPresent() && untuned().isEmpty();
    }

    /**
     * The best policy whose network is to be trained next: the first target's, the further ones' in
     * order, the fleet's, each policy once.
     */
    public Optional<Episode> untuned() {
      List<Optional<Episode>> bests = bestsByAim();
      return IntStream.range(0, bests.size())
          .filter(aim -> bests.get(aim).filter(b -> !tunings.has(aim, b)).isPresent())
          .mapToObj(aim -> bests.get(aim).orElseThrow())
          .findFirst();
    }

    /** The best of each target, in order. */
    public List<Optional<Episode>> bests() {
      List<Optional<Episode>> bests = new ArrayList<>();
      bests.add(best);
      bests.addAll(fleet.further());
      return bests;
    }

    /** The best of each target, and of the fleet where there are several. */
    private List<Optional<Episode>> bestsByAim() {
      return Stream.concat(Stream.of(best), fleet.byAim().stream()).toList();
    }

    /** Number of the last episode that was the best of any target, or of the fleet; 0 before. */
    int improvedAt() {
      return bestsByAim().stream()
          .flatMap(Optional::stream)
          .mapToInt(Episode::number)
          .max()
          .orElse(0);
    }

    private Progress with(Accuracy floatModel) {
      return new Progress(
          episodesDone, episodeSeconds, Optional.of(floatModel), best, fleet, tunings);
    }

    private Progress with(Tuned outcome) {
      Tunings outcomes = tunings.with(outcome, bestsByAim());
      return new Progress(episodesDone, episodeSeconds, baseline, best, fleet, outcomes);
    }

    private Progress with(FleetBests bests) {
      return new Progress(episodesDone, episodeSeconds, baseline, best, bests, tunings);
    }

    private Progress with(Episode episode) {
      return new Progress(
          episode.number(),
          episodeSeconds + episode.elapsedSeconds(),
          baseline,
          episode.improved() ? Optional.of(episode) : best,
          fleet.with(episode),
          tunings);
    }

    /**
     * The log's next entry.
     *
     * @param elapsedSeconds as of {@link Episode}
     */
    public Episode next(EpisodeResult result, double elapsedSeconds, Instant now) {
      OptionalDouble before =
          best.map(b -> OptionalDouble.of(b.bestReward())).orElse(OptionalDouble.empty());
      return Episode.after(before, fleet, result, elapsedSeconds, now);
    }
  }

  /**
   * What tells an old view of a session from a new one.
   *
   * @param revision counts changes of status; episodes do not count
   * @param fence counts the leases that the session has had; see {@link SessionStore#lease}
   */
  public record Version(long revision, long fence) {
    static final Version FIRST = new Version(0, 0);
  }

  /** A session that waits for its first episode. */
  public static SessionRecord created(Definition definition, SessionLimits limits) {
    return new SessionRecord(
        definition,
        limits,
        Status.NEW,
        Progress.none(definition.fleet()),
        Version.FIRST,
        definition.createTime());
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
    return with(Status.of(next, pause), now);
  }

  /**
   * In a final state.
   *
   * @param error one line of a failed session, else empty
   */
  public SessionRecord ended(SessionState last, EndReason why, String error, Instant now) {
    state().checkMayBecome(last, id());
    return with(new Status(last, false, Optional.of(why), error), now);
  }

  /** With a wish to pause, or without; itself where that is so already. */
  public SessionRecord withPauseRequested(boolean requested, Instant now) {
    return requested == status.pauseRequested() ? this : with(Status.of(state(), requested), now);
  }

  private SessionRecord with(Status other, Instant now) {
    return new SessionRecord(definition, limits, other, progress, version, now);
  }

  /**
   * With other limits; one that has ended, or is fine-tuning, waits for its turn again.
   *
   * @param tunes whether a best policy has yet to be fine-tuned at its end
   * @throws HaqException INVALID_ARGUMENT when it has as many episodes already, ILLEGAL_STATE while
   *     it is stopping
   */
  public SessionRecord extended(SessionLimits other, boolean tunes, Instant now) {
    if (other.episodes() < progress.episodesDone() + (tunes ? 0 : 1)) {
      throw HaqException.invalid(
          "episodes is %d: session %s has %d already, ask for more",
          other.episodes(), id(), progress.episodesDone());
    }
    SessionState extended = state().extended(id());
    Status next = extended == state() ? status : Status.of(extended, false);
    return new SessionRecord(definition, other, next, progress, version, now);
  }

  /** As it is stored after a change. */
  public SessionRecord with(Version other) {
    return new SessionRecord(definition, limits, status, progress, other, updateTime);
  }

  /**
   * As a process takes it over whose turn it is, or whose last process has died. What waited for
   * the episode under way comes about now, since that episode died with its process.
   */
  public SessionRecord takenOver(Instant now) {
    if (state() == SessionState.STOPPING) {
      return ended(SessionState.STOPPED, EndReason.USER, "", now);
    }
    return moved(status.pauseRequested() ? SessionState.PAUSED : SessionState.PREPARING, now);
  }

  /** With the accuracy of the float model. */
  public SessionRecord with(Accuracy baseline) {
    return with(progress.with(baseline), updateTime);
  }

  /** With the outcome of training a best policy's network. */
  public SessionRecord with(Tuned tuned) {
    return with(progress.with(tuned), updateTime);
  }

  /** With these bests of its further targets and its fleet, as they are stored. */
  public SessionRecord with(FleetBests bests) {
    return with(progress.with(bests), updateTime);
  }

  /** With one more episode in its log. */
  public SessionRecord with(Episode episode) {
    return with(progress.with(episode), episode.createTime());
  }

  private SessionRecord with(Progress further, Instant now) {
    return new SessionRecord(definition, limits, status, further, version, now);
  }
}
