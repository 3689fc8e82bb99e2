package dev.haq.agent.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.agent.search.BudgetLimit;
import dev.haq.agent.search.EpisodeResult;
import dev.haq.agent.search.TargetCost;
import dev.haq.agent.search.Timings;
import dev.haq.agent.session.EndReason;
import dev.haq.agent.session.Episode;
import dev.haq.agent.session.Fleet;
import dev.haq.agent.session.FleetBests;
import dev.haq.agent.session.Score;
import dev.haq.agent.session.SessionLimits;
import dev.haq.agent.session.SessionRecord;
import dev.haq.agent.session.SessionState;
import dev.haq.agent.session.SessionStore;
import dev.haq.agent.session.Tuned;
import dev.haq.model.Accuracy;
import dev.haq.model.BitWidth;
import dev.haq.model.Cost;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import dev.haq.model.Resource;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every session store does; a class for each database extends it. */
abstract class SessionStoreContract {
  private static final Instant NOW = Instant.parse("2026-01-02T03:04:05.678901Z");
  private static final Accuracy BASELINE = new Accuracy(1000, 915, 998, 0.1 + 0.2);

  private static final Duration HOUR = Duration.ofHours(1);

  private SessionStore store;

  /** A store on an empty database. */
  abstract SessionStore open();

  @BeforeEach
  void openStore() {
    store = open();
  }

  @AfterEach
  void closeStore() {
    store.close();
  }

  @Test
  void aSessionIsFoundAsItWasCreated() {
    SessionRecord session = store.create(session("r1"));
    assertEquals(Optional.of(session), store.find(session.id()));
    assertEquals(Optional.of(session), store.findByRequestId("r1"));
    assertEquals(Optional.empty(), store.find("no such"));
    assertEquals(Optional.empty(), store.find("no\0such"));
    assertEquals(Optional.empty(), store.findByRequestId("r2"));
  }

  @Test
  void aRequestIdMakesOneSession() {
    SessionRecord first = store.create(session("r1"));
    assertEquals(first, store.create(session("r1")));
    assertEquals(List.of(first), newest(10).sessions());
  }

  @Test
  void manySessionsHaveNoRequestId() {
    store.create(session(""));
    store.create(session(""));
    assertEquals(2, newest(10).sessions().size());
  }

  @Test
  void sessionsAreListedNewestFirstAndPaged() {
    List<SessionRecord> made =
        IntStream.range(0, 5).mapToObj(i -> store.create(session(""))).toList();
    SessionStore.Page first = newest(2);
    assertEquals(List.of(made.get(4), made.get(3)), first.sessions());
    SessionStore.Page second = store.list(first.next(), 2);
    assertEquals(List.of(made.get(2), made.get(1)), second.sessions());
    SessionStore.Page third = store.list(second.next(), 2);
    assertEquals(List.of(made.get(0)), third.sessions());
    assertEquals(OptionalLong.empty(), third.next());
    assertEquals(OptionalLong.empty(), newest(5).next());
  }

  @Test
  void aPageGoesOnWhereTheOneBeforeEndedThoughItsSessionsWereDeleted() {
    List<SessionRecord> made =
        IntStream.range(0, 4).mapToObj(i -> store.create(session(""))).toList();
    SessionStore.Page first = newest(2);
    first.sessions().forEach(session -> assertTrue(store.delete(session)));
    store.create(session(""));
    assertEquals(List.of(made.get(1), made.get(0)), store.list(first.next(), 2).sessions());
  }

  private SessionStore.Page newest(int limit) {
    return store.list(OptionalLong.empty(), limit);
  }

  @Test
  void aChangeNeedsTheRevisionItWasMadeFrom() {
    SessionRecord queued = store.create(session(""));
    SessionRecord paused = queued.moved(SessionState.PAUSED, NOW.plusSeconds(1));
    SessionRecord stored = store.update(queued, paused).orElseThrow();
    assertEquals(paused.with(new SessionRecord.Version(1, 0)), stored);
    assertEquals(Optional.of(stored), store.find(queued.id()));

    SessionRecord late = queued.ended(SessionState.CANCELLED, EndReason.USER, "", NOW);
    assertEquals(Optional.empty(), store.update(queued, late));
    assertEquals(Optional.of(stored), store.find(queued.id()));
  }

  @Test
  void episodesLeaveTheRevisionAlone() {
    SessionRecord running = running();
    SessionRecord after = append(running, episode(1, -1, OptionalDouble.empty()), new byte[1]);
    assertEquals(running.version(), after.version());
    assertTrue(
        store.update(running, running.withPauseRequested(true, NOW.plusSeconds(5))).isPresent());
  }

  @Test
  void everyFieldOfAStatusIsKept() {
    SessionRecord running = running();
    SessionRecord pausing = changed(running, running.withPauseRequested(true, NOW.plusSeconds(3)));
    assertEquals(Optional.of(pausing), store.find(running.id()));
    SessionRecord failed =
        changed(
            pausing,
            pausing.ended(SessionState.FAILED, EndReason.ERROR, "it broke", NOW.plusSeconds(4)));
    assertEquals(Optional.of(failed), store.find(running.id()));
  }

  @Test
  void aTunedModelIsKeptWithTheSession() {
    SessionRecord running = running();
    SessionRecord best = append(running, episode(1, -1, OptionalDouble.empty()), new byte[1]);
    SessionRecord tuning = changed(best, best.moved(SessionState.FINE_TUNING, NOW));
    Accuracy compared = BASELINE.withKlDivergence(OptionalDouble.of(Math.E));
    for (Optional<Tuned.HeldOut> heldOut :
        List.of(
            Optional.<Tuned.HeldOut>empty(), Optional.of(new Tuned.HeldOut(compared, BASELINE)))) {
      Tuned tuned = new Tuned(1, "sha256:ab", 10, compared, BASELINE, heldOut, 0.1 + 0.2);
      tuning = changed(tuning, tuning.with(tuned));
      assertEquals(Optional.of(tuned), tuning.progress().tunings().of(0));
      assertEquals(Optional.of(tuning), store.find(running.id()));
    }
    assertTrue(tuning.progress().isTuned());
    store.release("owner");
    assertEquals(List.of(tuning), store.unleased(10), "somebody has to carry on with it");
  }

  @Test
  void aLeaseIsHeldByOneOwnerUntilItIsReleased() {
    SessionRecord queued = store.create(session(""));
    SessionRecord held = lease(queued, "one", HOUR).orElseThrow();
    assertEquals(1, held.version().fence());
    assertEquals(SessionState.PREPARING, held.state());
    assertEquals(List.of(), store.unleased(10));
    assertEquals(Optional.empty(), lease(held, "two", HOUR));

    store.release("two", held.id());
    assertEquals(Optional.empty(), lease(held, "two", HOUR));
    store.release("one", held.id());
    assertEquals(List.of(held), store.unleased(10));
    assertEquals(2, lease(held, "two", HOUR).orElseThrow().version().fence());
  }

  @Test
  void aLeaseThatRanOutIsAnybodysAndOneThatWasRenewedIsNot() {
    SessionRecord held = lease(store.create(session("")), "one", Duration.ZERO).orElseThrow();
    assertEquals(List.of(held), store.unleased(10));
    store.renew("one", List.of(held.id()), HOUR);
    assertEquals(List.of(), store.unleased(10));
    store.renew("one", List.of(held.id()), Duration.ZERO);
    assertTrue(lease(held, "two", HOUR).isPresent());
  }

  @Test
  void whoRenewsTheLeaseOfOneSessionLetsTheOthersRunOut() {
    SessionRecord kept = lease(store.create(session("")), "one", Duration.ZERO).orElseThrow();
    SessionRecord left = lease(store.create(session("")), "one", Duration.ZERO).orElseThrow();
    store.renew("one", List.of(kept.id()), HOUR);
    store.renew("two", List.of(left.id()), HOUR);
    store.renew("one", List.of(), HOUR);
    assertEquals(List.of(left), store.unleased(10));
  }

  @Test
  void ofTwoThatTakeTheSameSessionOneGetsIt() {
    SessionRecord queued = store.create(session(""));
    assertTrue(lease(queued, "one", Duration.ZERO).isPresent());
    assertEquals(Optional.empty(), lease(queued, "two", HOUR));
  }

  @Test
  void anOwnerGivesUpAllItsLeasesAtOnce() {
    SessionRecord first = lease(store.create(session("")), "one", HOUR).orElseThrow();
    SessionRecord second = lease(store.create(session("")), "one", HOUR).orElseThrow();
    assertTrue(lease(store.create(session("")), "two", HOUR).isPresent());
    store.release("one");
    assertEquals(List.of(first, second), store.unleased(10));
  }

  @Test
  void anEpisodeMadeUnderAnEarlierLeaseIsRefused() {
    SessionRecord queued = store.create(session(""));
    SessionRecord held = lease(queued, "one", Duration.ZERO).orElseThrow();
    SessionRecord taken = lease(held, "two", HOUR).orElseThrow();
    SessionRecord running = changed(taken, taken.moved(SessionState.RUNNING, NOW));
    Episode episode = episode(1, 0, OptionalDouble.empty());
    assertThrows(IllegalStateException.class, () -> append(held, episode, new byte[1]));
    assertEquals(Optional.of(running), store.find(queued.id()));
    assertEquals(1, append(running, episode, new byte[1]).progress().episodesDone());
  }

  @Test
  void limitsAreKeptAndReplaced() {
    SessionRecord session = store.create(session(""));
    SessionLimits limits =
        new SessionLimits(500, OptionalDouble.of(0.5), OptionalInt.of(7), OptionalDouble.of(91.5));
    SessionRecord extended = changed(session, session.extended(limits, false, NOW));
    assertEquals(limits, extended.limits());
    assertEquals(Optional.of(extended), store.find(session.id()));
  }

  @Test
  void aDeletedSessionLeavesNothingBehind() {
    SessionRecord session = running();
    append(session, episode(1, 0, OptionalDouble.empty()), new byte[1]);
    SessionRecord other = running();
    append(other, episode(1, 0, OptionalDouble.empty()), new byte[] {2});

    SessionRecord paused = changed(session, session.moved(SessionState.PAUSED, NOW));
    assertFalse(store.delete(session), "an old view of the session");
    assertEquals(Optional.of(paused.id()), store.find(session.id()).map(SessionRecord::id));
    assertTrue(store.delete(paused));
    assertEquals(Optional.empty(), store.find(session.id()));
    assertEquals(List.of(), store.episodes(session.id(), 0, 10));
    assertEquals(Optional.empty(), store.checkpoint(session.id()));
    assertArrayEquals(new byte[] {2}, store.checkpoint(other.id()).orElseThrow());
  }

  @Test
  void sessionsAreFoundTogether() {
    SessionRecord first = store.create(session(""));
    store.create(session(""));
    SessionRecord third = store.create(session(""));
    assertEquals(
        Set.of(first, third),
        Set.copyOf(store.findAll(List.of(first.id(), "no such", third.id()))));
    assertEquals(List.of(), store.findAll(List.of()));
  }

  @Test
  void anAppendedEpisodeBringsItsCheckpointAndTheBest() {
    SessionRecord session = running();
    Episode first = episode(1, -1.5, OptionalDouble.empty());
    Episode second = episode(2, -0.3, OptionalDouble.of(-1.5));
    Episode third = episode(3, -0.7, OptionalDouble.of(-0.3));

    assertEquals(Optional.empty(), store.checkpoint(session.id()));
    assertEquals(session.with(first), append(session, first, new byte[] {1}));
    append(session, second, new byte[] {2, 2});
    SessionRecord after = append(session, third, new byte[] {3, 3, 3});

    assertEquals(session.with(first).with(second).with(third), after);
    assertEquals(Optional.of(second), after.progress().best());
    assertEquals(Optional.of(after), store.find(session.id()));
    assertArrayEquals(new byte[] {3, 3, 3}, store.checkpoint(session.id()).orElseThrow());
    assertEquals(List.of(first, second, third), store.episodes(session.id(), 0, 10));
    assertEquals(List.of(second), store.episodes(session.id(), 1, 1));
    assertEquals(List.of(), store.episodes(session.id(), 3, 10));
    assertEquals(List.of(first, third), store.episodes(session.id(), List.of(3, 1, 4)));
    assertEquals(List.of(), store.episodes(session.id(), List.of()));
    assertEquals(List.of(score(second)), store.scores(session, 1, 1));
  }

  @Test
  void theBestsOfSeveralTargetsAreKept() {
    Fleet fleet =
        new Fleet(
            List.of(
                new Fleet.Target("edge", List.of(limit(Resource.LATENCY), limit(Resource.ENERGY))),
                new Fleet.Target("it's \"one\"", List.of(limit(Resource.MODEL_SIZE)))),
            "");
    SessionRecord session = running(store.create(session("", fleet)));
    List<Episode> log = new ArrayList<>();
    SessionRecord expected = session;
    for (int n = 1; n <= 6; n++) {
      EpisodeResult one = episode(n, 0, OptionalDouble.empty()).result();
      TargetCost cost = one.costs().get(0).orElseThrow();
      TargetCost over = new TargetCost(cost.cost(), 1.0 / 3, false);
      List<Optional<TargetCost>> costs =
          switch (n % 3) {
            case 1 -> List.of(Optional.of(cost), Optional.empty());
            case 2 -> List.of(n == 2 ? Optional.empty() : Optional.of(over), Optional.of(cost));
            default -> List.of(Optional.of(cost), Optional.of(cost));
          };
      EpisodeResult result =
          new EpisodeResult(n, one.policy(), n % 4, one.accuracy(), costs, false, one.timings());
      Episode episode = expected.progress().next(result, 1.0 / 3, NOW.plusSeconds(n));
      log.add(episode);
      expected = expected.with(episode);
      assertEquals(expected, append(session, episode, new byte[1]));
    }
    assertEquals(log, store.episodes(session.id(), 0, 10));
    assertEquals(
        log.stream().map(SessionStoreContract::score).toList(), store.scores(session, 0, 10));
    assertEquals(Optional.of(expected), store.find(session.id()));
    assertEquals(List.of(expected), newest(10).sessions());
    assertEquals(Optional.of(log.get(2)), expected.progress().fleet().fleet());
    SessionRecord paused = changed(expected, expected.moved(SessionState.PAUSED, NOW));
    assertTrue(store.delete(paused));
    assertEquals(Optional.empty(), store.find(session.id()));
  }

  @Test
  void ofSeveralSessionsEachHasItsOwnBests() {
    Fleet fleet =
        new Fleet(
            List.of(
                new Fleet.Target("one", List.of(limit(Resource.LATENCY))),
                new Fleet.Target("two", List.of(limit(Resource.LATENCY)))),
            "");
    List<SessionRecord> expected = new ArrayList<>();
    expected.add(store.create(session("")));
    for (int i = 0; i < 3; i++) {
      SessionRecord session = running(store.create(session("", fleet)));
      EpisodeResult one = episode(1, 0, OptionalDouble.empty()).result();
      TargetCost cost = one.costs().get(0).orElseThrow();
      List<Optional<TargetCost>> costs =
          List.of(Optional.of(cost), i == 2 ? Optional.empty() : Optional.of(cost));
      EpisodeResult result =
          new EpisodeResult(1, one.policy(), i, one.accuracy(), costs, false, one.timings());
      Episode episode = session.progress().next(result, 1, NOW);
      expected.add(append(session, episode, new byte[1]));
    }
    assertEquals(2, expected.get(3).progress().best().orElseThrow().result().reward());
    assertEquals(Optional.empty(), expected.get(3).progress().fleet().fleet());
    Collections.reverse(expected);
    assertEquals(expected, newest(10).sessions());
  }

  @Test
  void whatIsInterruptedIsStoppingOrWishesToPauseAndNobodyWorksOnIt() {
    SessionRecord stopping = running();
    stopping = changed(stopping, stopping.moved(SessionState.STOPPING, NOW));
    SessionRecord pausing = running();
    pausing = changed(pausing, pausing.withPauseRequested(true, NOW));
    running();
    store.create(session(""));
    assertEquals(List.of(), store.interrupted(10), "somebody works on them");
    store.release("owner");
    assertEquals(List.of(stopping, pausing), store.interrupted(10));
    assertEquals(List.of(stopping), store.interrupted(1));
    changed(stopping, stopping.ended(SessionState.STOPPED, EndReason.USER, "", NOW));
    assertEquals(List.of(pausing), store.interrupted(10));
  }

  private static Score score(Episode episode) {
    EpisodeResult result = episode.result();
    return new Score(
        episode.number(),
        result.reward(),
        result.accuracy().top1(),
        result.costs().stream().map(SessionStoreContract::costs).toList());
  }

  private static Map<Resource, Double> costs(Optional<TargetCost> target) {
    Map<Resource, Double> costs = new EnumMap<>(Resource.class);
    target
        .map(TargetCost::cost)
        .ifPresent(
            cost -> {
              costs.put(Resource.LATENCY, cost.latencySeconds());
              cost.energyJoules().ifPresent(joules -> costs.put(Resource.ENERGY, joules));
              costs.put(Resource.MODEL_SIZE, cost.modelSizeBytes());
            });
    return costs;
  }

  private static Fleet.Limit limit(Resource resource) {
    return new Fleet.Limit(resource, new BudgetLimit(0.1 + 0.2, 1.0 / 3));
  }

  @Test
  void whyThereIsNoPolicyForAllTargetsIsKept() {
    Fleet fleet =
        new Fleet(List.of(new Fleet.Target("a", List.of(limit(Resource.LATENCY)))), "too tight");
    SessionRecord session = store.create(session("", fleet));
    assertEquals(fleet, store.find(session.id()).orElseThrow().definition().fleet());
  }

  @Test
  void anEpisodeOutOfOrderChangesNothing() {
    SessionRecord session = running();
    append(session, episode(1, -1, OptionalDouble.empty()), new byte[] {1});
    SessionRecord before = store.find(session.id()).orElseThrow();
    for (int number : new int[] {1, 3}) {
      Episode wrong = episode(number, 5, OptionalDouble.of(-1));
      assertThrows(IllegalStateException.class, () -> append(session, wrong, new byte[] {9}));
    }
    assertEquals(Optional.of(before), store.find(session.id()));
    assertArrayEquals(new byte[] {1}, store.checkpoint(session.id()).orElseThrow());
    assertEquals(1, store.episodes(session.id(), 0, 10).size());
  }

  @Test
  void anEpisodeThatIsAppendedAgainIsStoredOnce() {
    SessionRecord session = running();
    Episode first = episode(1, -1, OptionalDouble.empty());
    Episode second = episode(2, -0.3, OptionalDouble.of(-1));
    append(session, first, new byte[] {1});
    SessionRecord after = append(session, second, new byte[] {2});
    assertEquals(after, append(session, second, new byte[] {2}));
    assertThrows(IllegalStateException.class, () -> append(session, first, new byte[] {1}));
    assertEquals(List.of(first, second), store.episodes(session.id(), 0, 10));
    assertArrayEquals(new byte[] {2}, store.checkpoint(session.id()).orElseThrow());
  }

  @Test
  void aSessionThatDoesNotRunTakesNoEpisode() {
    SessionRecord session = running();
    SessionRecord cancelled = session.ended(SessionState.CANCELLED, EndReason.USER, "", NOW);
    SessionRecord stored = changed(session, cancelled);
    assertThrows(
        IllegalStateException.class,
        () -> append(session, episode(1, 0, OptionalDouble.empty()), new byte[0]));
    assertEquals(Optional.of(stored), store.find(session.id()));
  }

  @Test
  void aLargeCheckpointIsKeptAsItIs() {
    SessionRecord session = running();
    byte[] snapshot = new byte[6 << 20];
    new java.util.Random(1).nextBytes(snapshot);
    append(session, episode(1, 0, OptionalDouble.empty()), snapshot);
    assertArrayEquals(snapshot, store.checkpoint(session.id()).orElseThrow());
  }

  @Test
  void whatNobodyWorksOnIsListedOldestFirst() {
    SessionRecord queued = store.create(session(""));
    SessionRecord running = running();
    SessionRecord paused = running();
    changed(paused, paused.moved(SessionState.PAUSED, NOW));
    SessionRecord done = running();
    changed(done, done.ended(SessionState.SUCCEEDED, EndReason.EPISODES, "", NOW));
    store.release("owner");
    assertEquals(List.of(queued, running), store.unleased(10));
    assertEquals(List.of(queued), store.unleased(1));
    assertEquals(1, store.queued());
  }

  private SessionRecord running() {
    return running(store.create(session("")));
  }

  private SessionRecord running(SessionRecord queued) {
    SessionRecord preparing = lease(queued, "owner", HOUR).orElseThrow();
    return changed(
        preparing, preparing.with(BASELINE).moved(SessionState.RUNNING, NOW.plusSeconds(2)));
  }

  private Optional<SessionRecord> lease(SessionRecord session, String owner, Duration term) {
    return store.lease(session, session.moved(SessionState.PREPARING, NOW), owner, term);
  }

  private SessionRecord changed(SessionRecord before, SessionRecord after) {
    return store.update(before, after).orElseThrow();
  }

  private SessionRecord append(SessionRecord session, Episode episode, byte[] snapshot) {
    return store.append(session.id(), session.version().fence(), episode, snapshot);
  }

  static SessionRecord session(String requestId) {
    return session(requestId, Fleet.NONE);
  }

  private static SessionRecord session(String requestId, Fleet fleet) {
    List<BudgetLimit> budgets =
        fleet.targets().isEmpty()
            ? List.of(new BudgetLimit(0.1 + 0.2, 1.0 / 3), new BudgetLimit(1e-300, 7))
            : fleet.targets().get(0).limits().stream().map(Fleet.Limit::budget).toList();
    return SessionRecord.created(
        new SessionRecord.Definition(
            UUID.randomUUID().toString(),
            requestId,
            "{\"name\": \"it's \\\"one\\\"\"}",
            List.of("/features/0/Conv", "b \"quoted\",\nand broken", "é"),
            budgets,
            true,
            fleet,
            NOW),
        SessionLimits.episodes(120));
  }

  static Episode episode(int number, double reward, OptionalDouble bestBefore) {
    Policy policy =
        new Policy(
            List.of(
                LayerBits.of(8, 8),
                LayerBits.of(2, 16),
                new LayerBits(BitWidth.of(3), BitWidth.FLOAT)));
    EpisodeResult result =
        new EpisodeResult(
            number,
            policy,
            reward,
            new Accuracy(1000, 900, 990, Math.PI),
            List.of(
                Optional.of(
                    new TargetCost(
                        new Cost(
                            1234.5,
                            0.1 + 0.7,
                            number == 2 ? OptionalDouble.empty() : OptionalDouble.of(1e-9),
                            1e6),
                        2.0 / 3,
                        true))),
            number < 2,
            new Timings(1.1, 0.3, 0.1, 0.7));
    return Episode.after(
        bestBefore, FleetBests.NONE, result, 1.0 / 3, NOW.plusSeconds(10 + number));
  }
}
