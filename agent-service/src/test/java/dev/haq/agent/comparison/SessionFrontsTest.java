package dev.haq.agent.comparison;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.haq.agent.search.BudgetLimit;
import dev.haq.agent.search.EpisodeResult;
import dev.haq.agent.search.TargetCost;
import dev.haq.agent.search.Timings;
import dev.haq.agent.session.Episode;
import dev.haq.agent.session.Fleet;
import dev.haq.agent.session.FleetBests;
import dev.haq.agent.session.SessionLimits;
import dev.haq.agent.session.SessionRecord;
import dev.haq.agent.session.SessionState;
import dev.haq.agent.session.SessionStore;
import dev.haq.agent.store.SqlSessionStore;
import dev.haq.model.Accuracy;
import dev.haq.model.Cost;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import dev.haq.model.Resource;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Fronts that are kept up with a log in a store, against comparing all with all. */
final class SessionFrontsTest {
  private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");

  private final SessionStore store = SqlSessionStore.open("memory");
  private final SessionFronts fronts = new SessionFronts(store);
  private final List<Episode> log = new ArrayList<>();

  @AfterEach
  void close() {
    store.close();
  }

  @Test
  void theyAreOfTheRewardAndOfTheAccuracyAndGrowWithTheLog() {
    SessionRecord session = running();
    SplittableRandom random = new SplittableRandom(5);
    for (int number = 1; number <= 60; number++) {
      Episode episode = episode(number, random);
      log.add(episode);
      store.append(session.id(), session.version().fence(), episode, new byte[1]);
      if (number % 7 == 0 || number == 60) {
        SessionFronts.Snapshot snapshot = fronts.of(session);
        assertEquals(number, snapshot.episodes());
        for (Resource resource : List.of(Resource.LATENCY, Resource.MODEL_SIZE)) {
          SessionFronts.Points points = snapshot.byTarget().get(0).get(resource);
          assertEquals(plain(resource, EpisodeResult::reward), points.byReward());
          assertEquals(plain(resource, result -> result.accuracy().top1()), points.byTop1());
        }
      }
    }
    SessionFronts.Points latency = fronts.of(session).byTarget().get(0).get(Resource.LATENCY);
    assertNotEquals(latency.byReward(), latency.byTop1(), "the test shows little");
  }

  /** No other costs no more and is worth as much; of equals, the first. */
  private List<Episode> plain(Resource resource, ToDoubleFunction<EpisodeResult> worth) {
    ToDoubleFunction<Episode> cost = episode -> episode.result().cost().of(resource);
    return log.stream()
        .filter(one -> log.stream().noneMatch(other -> beats(other, one, cost, worth)))
        .sorted(Comparator.comparingDouble(cost))
        .toList();
  }

  @Test
  void whatHasNoLatencyIsNotOnAFrontOfLatencies() {
    SessionRecord session = running();
    SplittableRandom random = new SplittableRandom(5);
    Cost sizeAlone = new Cost(0, 0, OptionalDouble.empty(), 7);
    store.append(
        session.id(), session.version().fence(), episode(1, random, sizeAlone), new byte[1]);
    Map<Resource, SessionFronts.Points> byResource = fronts.of(session).byTarget().get(0);
    assertEquals(Set.of(Resource.MODEL_SIZE), byResource.keySet());
  }

  private static boolean beats(
      Episode other,
      Episode one,
      ToDoubleFunction<Episode> cost,
      ToDoubleFunction<EpisodeResult> worth) {
    int costs = Double.compare(cost.applyAsDouble(other), cost.applyAsDouble(one));
    int worths =
        Double.compare(worth.applyAsDouble(other.result()), worth.applyAsDouble(one.result()));
    boolean better = costs < 0 || worths > 0 || other.number() < one.number();
    return other.number() != one.number() && costs <= 0 && worths >= 0 && better;
  }

  private SessionRecord running() {
    SessionRecord queued =
        store.create(
            SessionRecord.created(
                new SessionRecord.Definition(
                    "fronts",
                    "",
                    "{}",
                    List.of("conv"),
                    List.of(new BudgetLimit(1, 1)),
                    false,
                    Fleet.NONE,
                    NOW),
                SessionLimits.episodes(60)));
    SessionRecord leased =
        store
            .lease(queued, queued.moved(SessionState.PREPARING, NOW), "owner", Duration.ofHours(1))
            .orElseThrow();
    return store.update(leased, leased.moved(SessionState.RUNNING, NOW)).orElseThrow();
  }

  /** Reward, accuracy and costs have nothing to do with one another, and often are equal. */
  private Episode episode(int number, SplittableRandom random) {
    return episode(
        number,
        random,
        new Cost(1, 1 + random.nextInt(12) / 7.0, OptionalDouble.empty(), 1 + random.nextInt(12)));
  }

  private Episode episode(int number, SplittableRandom random, Cost cost) {
    OptionalDouble best =
        log.isEmpty()
            ? OptionalDouble.empty()
            : OptionalDouble.of(log.get(log.size() - 1).bestReward());
    return Episode.after(
        best,
        FleetBests.NONE,
        new EpisodeResult(
            number,
            Policy.uniform(1, LayerBits.of(4, 4)),
            -random.nextInt(12) / 3.0,
            new Accuracy(700, 100 + random.nextInt(12), 600, 1),
            List.of(Optional.of(new TargetCost(cost, 0.5, true))),
            false,
            new Timings(1, 1, 0, 0)),
        1,
        NOW);
  }
}
