package dev.haq.wire;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.agent.v1.Episode;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.TargetResult;
import dev.haq.proto.agent.v1.Tuned;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The best policy that a session found: of its target, of one of several, or of their fleet.
 *
 * @param target its name, or {@link #FLEET}; empty where the session has one target
 * @param tuned its network as it was fine-tuned; empty where it was not, or an earlier best was
 */
public record BestPolicy(String target, Episode episode, Optional<Tuned> tuned) {
  /** What all targets of a session together are called. */
  public static final String FLEET = "fleet";

  private static BestPolicy best(String target, Episode best, boolean hasTuned, Tuned tuned) {
    boolean own = hasTuned && tuned.getEpisode() == best.getNumber();
    return new BestPolicy(target, best, own ? Optional.of(tuned) : Optional.empty());
  }

  /** Of the session's one target, or of each of several in order and then the fleet's. */
  public static List<BestPolicy> all(Session session) {
    List<BestPolicy> all = new ArrayList<>();
    if (session.getTargetsCount() == 0 && session.hasBest()) {
      all.add(best("", session.getBest(), session.hasTuned(), session.getTuned()));
    }
    for (TargetResult target : session.getTargetsList()) {
      if (target.hasBest()) {
        all.add(best(target.getTarget(), target.getBest(), target.hasTuned(), target.getTuned()));
      }
    }
    if (session.getFleet().hasBest()) {
      all.add(
          best(
              FLEET,
              session.getFleet().getBest(),
              session.getFleet().hasTuned(),
              session.getFleet().getTuned()));
    }
    return all;
  }

  /**
   * Of the session's own target.
   *
   * @throws HaqException UNKNOWN_EPISODE when there is none yet
   */
  public static BestPolicy own(Session session) {
    if (!session.hasBest()) {
      throw new HaqException(
          Reason.UNKNOWN_EPISODE,
          "session %s has no episode yet that meets its budget: ask again after the next one"
              .formatted(session.getId()));
    }
    return best("", session.getBest(), session.hasTuned(), session.getTuned());
  }

  /**
   * Of one of several targets.
   *
   * @param target a name from {@link Session#getTargetsList}, or {@link #FLEET}
   * @throws HaqException INVALID_ARGUMENT when the session has no such target, UNKNOWN_EPISODE when
   *     there is none yet
   */
  public static BestPolicy of(Session session, String target) {
    String names =
        session.getTargetsList().stream()
            .map(TargetResult::getTarget)
            .collect(Collectors.joining(", "));
    if (names.isEmpty()) {
      throw HaqException.invalid(
          "session %s has one target: leave target '%s' out", session.getId(), target);
    }
    boolean known =
        target.equals(FLEET)
            || session.getTargetsList().stream().anyMatch(t -> t.getTarget().equals(target));
    if (!known) {
      throw HaqException.invalid(
          "session %s has no target '%s': use one of %s, %s",
          session.getId(), target, names, FLEET);
    }
    return all(session).stream()
        .filter(best -> best.target().equals(target))
        .findFirst()
        .orElseThrow(
            () ->
                new HaqException(
                    Reason.UNKNOWN_EPISODE,
                    "session %s has no episode yet that meets the budgets of %s"
                        .formatted(
                            session.getId(), target.equals(FLEET) ? "all targets" : target)));
  }
}
