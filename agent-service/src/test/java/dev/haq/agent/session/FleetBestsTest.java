package dev.haq.agent.session;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.haq.agent.search.BudgetLimit;
import dev.haq.agent.search.EpisodeResult;
import dev.haq.agent.search.TargetCost;
import dev.haq.agent.search.Timings;
import dev.haq.model.Accuracy;
import dev.haq.model.Cost;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import dev.haq.model.Resource;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class FleetBestsTest {
  private static final int TARGETS = 3;
  private static final Fleet FLEET =
      new Fleet(
          IntStream.range(0, TARGETS)
              .mapToObj(
                  i ->
                      new Fleet.Target(
                          "t" + i,
                          List.of(new Fleet.Limit(Resource.LATENCY, new BudgetLimit(1, 1)))))
              .toList(),
          "");

  @Test
  void toldEpisodeByEpisodeTheyAreWhatTheWholeLogSays() {
    SplittableRandom random = new SplittableRandom(1);
    for (int round = 0; round < 100; round++) {
      SessionRecord session = session();
      List<Episode> log = new ArrayList<>();
      for (int n = 1; n <= 20; n++) {
        int aim = FLEET.aim(n);
        List<Boolean> eligible = new ArrayList<>();
        for (int target = 0; target < TARGETS; target++) {
          eligible.add(target == aim || aim == TARGETS || random.nextInt(3) == 0);
        }
        EpisodeResult result = result(n, random.nextInt(8), eligible);
        Episode episode = session.progress().next(result, 0, Instant.EPOCH);
        session = session.with(episode);
        log.add(episode);
        for (int target = 0; target < TARGETS; target++) {
          assertEquals(best(log, List.of(target)), session.progress().bests().get(target));
        }
        assertEquals(leastRegret(log, session), session.progress().fleet().fleet());
      }
    }
  }

  @Test
  void regretsAreWhatTheFleetsPolicyLacksOfEachTargetsBest() {
    SessionRecord session = session();
    session = next(session, 1, -0.5, List.of(true, false, false));
    assertEquals(List.of(), regrets(session));
    session = next(session, 2, -0.25, List.of(false, true, false));
    session = next(session, 3, -2, List.of(false, false, true));
    session = next(session, 4, -1, List.of(true, true, true));
    assertEquals(List.of(0.5, 0.75, 0.0), regrets(session));
  }

  private static List<Double> regrets(SessionRecord session) {
    double first = session.progress().best().orElseThrow().result().reward();
    return session.progress().fleet().regrets(OptionalDouble.of(first));
  }

  private static SessionRecord next(
      SessionRecord session, int number, double reward, List<Boolean> eligible) {
    EpisodeResult result = result(number, reward, eligible);
    return session.with(session.progress().next(result, 0, Instant.EPOCH));
  }

  @Test
  void episodesAimAtEachTargetInTurnAndAtTheFleetLast() {
    assertEquals(
        List.of("t0", "t1", "t2", "fleet", "t0"),
        IntStream.rangeClosed(1, 5).mapToObj(n -> FLEET.name(FLEET.aim(n))).toList());
    Fleet apart = new Fleet(FLEET.targets(), "they have no width in common");
    assertEquals(
        List.of("t0", "t1", "t2", "t0"),
        IntStream.rangeClosed(1, 4).mapToObj(n -> apart.name(apart.aim(n))).toList());
  }

  /** The highest reward of what is eligible on all of these, the earliest of equals. */
  private static Optional<Episode> best(List<Episode> log, List<Integer> targets) {
    Episode best = null;
    for (Episode episode : log) {
      boolean eligible = targets.stream().allMatch(t -> episode.result().isEligible(t));
      if (eligible && (best == null || episode.result().reward() > best.result().reward())) {
        best = episode;
      }
    }
    return Optional.ofNullable(best);
  }

  /** As minimax regret is defined, with the bests of the targets as they now are. */
  private static Optional<Episode> leastRegret(List<Episode> log, SessionRecord session) {
    Episode least = null;
    double largestOfLeast = Double.POSITIVE_INFINITY;
    for (Episode episode : log) {
      double largest = Double.NEGATIVE_INFINITY;
      for (int target = 0; target < TARGETS; target++) {
        Optional<Episode> best = session.progress().bests().get(target);
        largest =
            episode.result().isEligible(target)
                ? Math.max(
                    largest, best.orElseThrow().result().reward() - episode.result().reward())
                : Double.POSITIVE_INFINITY;
        if (largest == Double.POSITIVE_INFINITY) {
          break;
        }
      }
      if (largest < largestOfLeast) {
        least = episode;
        largestOfLeast = largest;
      }
    }
    return Optional.ofNullable(least);
  }

  private static SessionRecord session() {
    return SessionRecord.created(
        new SessionRecord.Definition(
            "id",
            "",
            "{}",
            List.of("a"),
            List.of(new BudgetLimit(1, 1)),
            false,
            FLEET,
            Instant.EPOCH),
        SessionLimits.episodes(100));
  }

  private static EpisodeResult result(int number, double reward, List<Boolean> eligible) {
    Cost cost = new Cost(0, 1, OptionalDouble.empty(), 1);
    return new EpisodeResult(
        number,
        Policy.uniform(1, LayerBits.of(8, 8)),
        reward,
        new Accuracy(10, 5, 5, 1),
        eligible.stream().map(e -> Optional.of(new TargetCost(cost, 0.5, e))).toList(),
        false,
        new Timings(1, 1, 0, 0));
  }
}
