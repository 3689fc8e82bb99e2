package dev.haq.agent.session;

import dev.haq.agent.search.EpisodeResult;
import dev.haq.agent.search.TargetCost;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * The best policies of a session with several targets: one for each target, and one for the fleet.
 *
 * <p>A policy's regret on a target is what its reward lacks of the best reward among the policies
 * that are eligible there (Savage: The theory of statistical decision, Journal of the American
 * Statistical Association 46, 1951: minimax regret). The fleet's policy is, of those eligible on
 * every target, the one whose largest regret is least.
 *
 * <p>A reward does not depend on the hardware: with the best rewards B_t the largest regret of a
 * policy of reward R is max_t B_t - R. So whatever the B_t are, it is least where R is highest, and
 * an episode is enough to tell whether it is the fleet's new best.
 *
 * @param byAim of each aim but the first target, which the session's own best belongs to; empty
 *     where there is none yet, and without any where there is one target; see {@link Fleet}
 */
public record FleetBests(List<Optional<Episode>> byAim) {
  /** Of a session with one target. */
  public static final FleetBests NONE = new FleetBests(List.of());

  public FleetBests {
    byAim = List.copyOf(byAim);
  }

  /** Before the first episode. */
  public static FleetBests of(Fleet fleet) {
    return new FleetBests(Collections.nCopies(fleet.targets().size(), Optional.empty()));
  }

  /**
   * @param aim a further target or the fleet: from 1 to the number of targets
   */
  public Optional<Episode> of(int aim) {
    return byAim.get(aim - 1);
  }

  /** How many aims a session has: its targets, and the fleet where there are several. */
  public int aims() {
    return 1 + byAim.size();
  }

  /** Of the fleet; empty in a session with one target. */
  public Optional<Episode> fleet() {
    return byAim.isEmpty() ? Optional.empty() : of(byAim.size());
  }

  /** Of each target but the first. */
  public List<Optional<Episode>> further() {
    return byAim.isEmpty() ? List.of() : byAim.subList(0, byAim.size() - 1);
  }

  /** The aims, beside the first target, whose best policy so far this would be. */
  List<Integer> improvedBy(EpisodeResult result) {
    List<Integer> improved = new ArrayList<>();
    for (int aim = 1; aim <= byAim.size(); aim++) {
      double best = of(aim).map(e -> e.result().reward()).orElse(Double.NEGATIVE_INFINITY);
      if (isEligible(result, aim) && (of(aim).isEmpty() || result.reward() > best)) {
        improved.add(aim);
      }
    }
    return improved;
  }

  private boolean isEligible(EpisodeResult result, int aim) {
    boolean fleet = aim == byAim.size();
    return fleet
        ? result.costs().stream().allMatch(cost -> cost.filter(TargetCost::eligible).isPresent())
        : result.isEligible(aim);
  }

  FleetBests with(Episode episode) {
    if (episode.improvedFor().isEmpty()) {
      return this;
    }
    List<Optional<Episode>> bests = new ArrayList<>(byAim);
    episode.improvedFor().forEach(aim -> bests.set(aim - 1, Optional.of(episode)));
    return new FleetBests(bests);
  }

  /**
   * The fleet's regret on each target, at least 0; none where the fleet has no policy.
   *
   * @param first best reward on the first target; empty where that was read before there was one
   */
  public List<Double> regrets(OptionalDouble first) {
    List<Double> regrets = new ArrayList<>();
    if (fleet().isPresent() && first.isPresent()) {
      double reward = fleet().get().result().reward();
      regrets.add(Math.max(0, first.getAsDouble() - reward));
      // What is eligible on all targets is eligible on each: there is a best.
      further()
          .forEach(best -> regrets.add(Math.max(0, best.orElseThrow().result().reward() - reward)));
    }
    return regrets;
  }
}
