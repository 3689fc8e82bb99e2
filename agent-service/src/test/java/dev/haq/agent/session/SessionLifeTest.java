package dev.haq.agent.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.agent.ddpg.DdpgSettings;
import dev.haq.agent.search.Pinning;
import dev.haq.agent.search.Reward;
import dev.haq.agent.store.SqlSessionStore;
import dev.haq.model.Budget;
import dev.haq.model.DataSelection;
import dev.haq.model.FineTuning;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.model.Recipe;
import dev.haq.model.Resource;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntSupplier;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A session's life against a model of it: whatever is asked of it, in whatever order, its state is
 * the one the model says, and its log is a beginning of the undisturbed one.
 */
final class SessionLifeTest {
  private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");
  private static final int EPISODES = 12;
  private static final int LIVES = 25;
  private static final int STEPS = 30;

  /** Episodes of a life that is to come to fine-tuning often. */
  private static final int SHORT = 3;

  /** Episodes that an extension adds. */
  private static final int FURTHER = 3;

  /** More than a life can come to. */
  private static final int MOST = EPISODES + STEPS * FURTHER;

  private enum Step {
    PAUSE,
    RESUME,
    STOP,
    CANCEL,
    EXTEND,
    DELETE,
    EPISODE,
    /** Fine-tuning comes to its end. */
    TUNED,
    RESTART
  }

  /** Likelier steps are listed more often: most lives should be long. */
  private static final List<Step> STEPS_BY_WEIGHT =
      List.of(
          Step.EPISODE,
          Step.EPISODE,
          Step.EPISODE,
          Step.EPISODE,
          Step.EPISODE,
          Step.EPISODE,
          Step.TUNED,
          Step.TUNED,
          Step.PAUSE,
          Step.PAUSE,
          Step.RESUME,
          Step.RESUME,
          Step.RESUME,
          Step.RESTART,
          Step.RESTART,
          Step.EXTEND,
          Step.EXTEND,
          Step.STOP,
          Step.CANCEL,
          Step.DELETE);

  private SessionStore store;
  private HeldBackends backends;
  private SessionService service;

  /** What the session is expected to be. */
  private SessionState state;

  private boolean pausing;
  private int done;
  private int total;

  /** Number of the episode whose policy was fine-tuned; 0 for none. */
  private int tuned;

  /** The rewards of all the episodes that a life can come to. */
  private List<Double> undisturbed;

  private SessionSpec spec = SPEC;

  @BeforeEach
  void start() {
    store = SqlSessionStore.open("memory");
    backends = new HeldBackends();
    service = service();
    service.start();
  }

  @AfterEach
  void stop() {
    service.close();
    store.close();
  }

  @Test
  void aSessionDoesWhatItsModelSays() throws InterruptedException {
    undisturbed = undisturbed();
    for (int life = 0; life < LIVES; life++) {
      spec = life % 2 == 0 ? SPEC : tuning(SHORT);
      live(new Random(life));
    }
  }

  private void live(Random random) throws InterruptedException {
    String id = create();
    backends.awaitArrival();
    state = SessionState.RUNNING;
    pausing = false;
    done = 0;
    tuned = 0;
    total = spec.limits().episodes();
    RecordingSink sink = new RecordingSink();
    service.watch(id, 0, sink);
    List<Integer> seen = new ArrayList<>();
    for (int i = 0; i < STEPS; i++) {
      Step step = STEPS_BY_WEIGHT.get(random.nextInt(STEPS_BY_WEIGHT.size()));
      if (step == Step.RESTART) {
        service.close();
        sink.awaitEnd();
        seen.addAll(sink.episodes());
        service = service();
        service.start();
        restarted();
        sink = new RecordingSink();
        service.watch(id, last(seen), sink);
      } else if (step == Step.DELETE && isLegal(step)) {
        service.delete(id, "");
        state = null;
        break;
      } else if (step == Step.EXTEND && state.isFinal()) {
        sink.awaitEnd();
        seen.addAll(sink.episodes());
        take(step, id);
        sink = new RecordingSink();
        service.watch(id, last(seen), sink);
      } else {
        take(step, id);
      }
      sink.awaitState(state);
      SessionRecord session = service.get(id);
      assertEquals(done, session.progress().episodesDone());
      assertEquals(pausing, session.status().pauseRequested());
    }
    boolean deleted = state == null;
    if (!deleted && !state.isFinal()) {
      service.cancel(id, "");
    }
    sink.awaitEnd();
    seen.addAll(sink.episodes());
    assertEquals(IntStream.rangeClosed(1, done).boxed().toList(), seen);
    if (deleted) {
      HaqException error = assertThrows(HaqException.class, () -> service.get(id));
      assertEquals(Reason.UNKNOWN_SESSION, error.reason());
    } else {
      assertEquals(undisturbed.subList(0, done), rewards(id));
      assertEquals(tuned, service.get(id).progress().tunings().of(0).map(Tuned::episode).orElse(0));
    }
  }

  private static int last(List<Integer> seen) {
    return seen.isEmpty() ? 0 : seen.get(seen.size() - 1);
  }

  private void take(Step step, String id) throws InterruptedException {
    boolean legal = isLegal(step);
    if (!legal) {
      if (step != Step.EPISODE && step != Step.TUNED) {
        HaqException error = assertThrows(HaqException.class, () -> ask(step, id));
        assertEquals(Reason.ILLEGAL_STATE, error.reason());
      }
      return;
    }
    ask(step, id);
    switch (step) {
      case PAUSE -> {
        pausing = state == SessionState.RUNNING;
        state = state == SessionState.FINE_TUNING ? SessionState.PAUSED : state;
      }
      case RESUME -> {
        pausing = false;
        if (state == SessionState.PAUSED) {
          begin();
        }
      }
      case STOP -> {
        pausing = false;
        state = state == SessionState.RUNNING ? SessionState.STOPPING : stopped(state);
      }
      case CANCEL -> {
        pausing = false;
        state = SessionState.CANCELLED;
      }
      case EXTEND -> {
        total += FURTHER;
        if (state.isFinal() || state == SessionState.FINE_TUNING) {
          pausing = false;
          begin();
        }
      }
      case EPISODE -> episodeDone();
      case TUNED -> {
        tuned = best();
        state = SessionState.SUCCEEDED;
      }
      case DELETE, RESTART -> throw new IllegalStateException();
    }
  }

  private boolean isLegal(Step step) {
    return switch (step) {
      case PAUSE, RESUME ->
          state == SessionState.RUNNING
              || state == SessionState.PAUSED
              || state == SessionState.FINE_TUNING;
      case STOP -> !state.isFinal() || state == SessionState.STOPPED;
      case CANCEL -> !state.isFinal() || state == SessionState.CANCELLED;
      case EXTEND -> state != SessionState.STOPPING;
      case DELETE -> state == SessionState.PAUSED || state.isFinal();
      case EPISODE -> state == SessionState.RUNNING || state == SessionState.STOPPING;
      case TUNED -> state == SessionState.FINE_TUNING;
      case RESTART -> true;
    };
  }

  private void ask(Step step, String id) {
    switch (step) {
      case PAUSE -> service.pause(id, "");
      case RESUME -> service.resume(id, "");
      case STOP -> service.stop(id, "");
      case CANCEL -> service.cancel(id, "");
      case EXTEND -> service.extend(id, "", SessionLimits.episodes(total + FURTHER));
      case DELETE -> service.delete(id, "");
      case EPISODE -> backends.permit(1);
      case TUNED -> backends.permitTuning();
      case RESTART -> throw new IllegalStateException();
    }
  }

  private void episodeDone() throws InterruptedException {
    done++;
    if (done == total && !tunes()) {
      state = SessionState.SUCCEEDED;
    } else if (state == SessionState.STOPPING) {
      state = SessionState.STOPPED;
    } else if (pausing) {
      state = SessionState.PAUSED;
    } else {
      begin();
    }
    pausing = false;
  }

  /** It works again: on the next episode, or on what follows the last. */
  private void begin() throws InterruptedException {
    if (done < total) {
      state = SessionState.RUNNING;
      backends.awaitArrival();
    } else {
      state = SessionState.FINE_TUNING;
      backends.awaitTuning();
    }
  }

  private boolean tunes() {
    return spec.finalFineTuning().isPresent() && tuned != best();
  }

  /** Number of the best episode so far, the first of equals. */
  private int best() {
    List<Double> soFar = undisturbed.subList(0, done);
    return 1 + soFar.indexOf(Collections.max(soFar));
  }

  /** What is stopped at once, and what only after its episode. */
  private static SessionState stopped(SessionState before) {
    return before == SessionState.STOPPING ? SessionState.STOPPING : SessionState.STOPPED;
  }

  private void restarted() throws InterruptedException {
    if (state == SessionState.STOPPING) {
      state = SessionState.STOPPED;
    } else if (state == SessionState.RUNNING && pausing) {
      state = SessionState.PAUSED;
    } else if (state == SessionState.RUNNING || state == SessionState.FINE_TUNING) {
      begin();
    }
    pausing = false;
  }

  @Test
  void aSlowWatcherHoldsUpNobodyAndMissesNothing() throws InterruptedException {
    String id = create();
    RecordingSink slow = new RecordingSink();
    service.watch(id, 0, slow);
    slow.fill();
    RecordingSink fast = new RecordingSink();
    service.watch(id, 0, fast);
    backends.permit(EPISODES);
    fast.awaitEnd();
    slow.drain();
    slow.awaitEnd();
    assertEquals(IntStream.rangeClosed(1, EPISODES).boxed().toList(), slow.episodes());
    assertEquals(SessionState.SUCCEEDED, slow.states().get(slow.states().size() - 1));
  }

  @Test
  void whoIsBehindWhenAnotherProcessDeletesTheSessionIsToldSo() throws InterruptedException {
    String id = create();
    RecordingSink fast = new RecordingSink();
    service.watch(id, 0, fast);
    backends.awaitArrival();
    RecordingSink slow = new RecordingSink();
    slow.fill();
    service.watch(id, 0, slow);
    service.pause(id, "");
    backends.permit(1);
    fast.awaitState(SessionState.PAUSED);
    assertTrue(store.delete(service.get(id)));
    slow.drain();
    slow.awaitEnd();
    HaqException error = assertInstanceOf(HaqException.class, slow.failure());
    assertEquals(Reason.UNKNOWN_SESSION, error.reason());
  }

  @Test
  void aSessionWithAPlaceLeavesTheLineBeforeItCanBePausedAndQueuedAgain()
      throws InterruptedException {
    String id = create();
    assertNotEquals(SessionState.QUEUED, service.get(id).state());
    backends.awaitArrival();
    assertTrue(service.pause(id, "").status().pauseRequested());
    service.resume(id, "");
    RecordingSink sink = new RecordingSink();
    service.watch(id, 0, sink);
    backends.permit(EPISODES);
    sink.awaitEnd();
    assertEquals(IntStream.rangeClosed(1, EPISODES).boxed().toList(), sink.episodes());
    assertEquals(SessionState.SUCCEEDED, service.get(id).state());
  }

  @Test
  void aSessionResumedWhileItsThreadIsLeavingWaitsForThat() throws InterruptedException {
    String id = create();
    RecordingSink sink = new RecordingSink();
    service.watch(id, 0, sink);
    backends.awaitArrival();
    backends.holdCloses(true);
    service.pause(id, "");
    backends.permit(1);
    sink.awaitState(SessionState.PAUSED);
    service.resume(id, "");
    assertEquals(SessionState.QUEUED, service.get(id).state());
    assertEquals(1, service.running());
    assertEquals(1, service.queued());

    backends.holdCloses(false);
    sink.awaitState(SessionState.RUNNING);
    assertEquals(1, service.running());
    await(0, service::queued);
  }

  @Test
  void aStopWhileASessionPreparesEndsIt() throws InterruptedException {
    backends.onPreparing(() -> service.stop(newest(), ""));
    String id = create();
    RecordingSink sink = new RecordingSink();
    service.watch(id, 0, sink);
    sink.awaitEnd();
    assertEquals(SessionState.STOPPED, service.get(id).state());
    assertEquals(List.of(), sink.episodes());
  }

  private String newest() {
    return service.list(OptionalLong.empty(), 1).sessions().get(0).id();
  }

  @Test
  void aPauseWhileASessionPreparesComesAtOnceAndMayBeEnded() throws InterruptedException {
    backends.holdPreparing();
    backends.onPreparing(() -> service.pause(newest(), ""));
    String id = create();
    RecordingSink sink = new RecordingSink();
    service.watch(id, 0, sink);
    sink.awaitState(SessionState.PAUSED);
    backends.onPreparing(() -> {});
    backends.passAllPreparing();
    service.resume(id, "");
    backends.permit(EPISODES);
    sink.awaitEnd();
    assertEquals(IntStream.rangeClosed(1, EPISODES).boxed().toList(), sink.episodes());
    assertEquals(SessionState.SUCCEEDED, service.get(id).state());
  }

  @Test
  void aFailureIsToldThoughTheSessionWasToPause() throws InterruptedException {
    String id = create();
    RecordingSink sink = new RecordingSink();
    service.watch(id, 0, sink);
    backends.awaitArrival();
    service.pause(id, "");
    backends.fail(new HaqException(Reason.UNKNOWN_MODEL, "there is no such model"));
    backends.permit(1);
    sink.awaitEnd();
    assertEquals(SessionState.FAILED, service.get(id).state());
    assertEquals("there is no such model", service.get(id).status().error());
  }

  @Test
  void whatIsStoredIsAnsweredThoughTheStoreFailsRightAfter() {
    service.close();
    SessionStore failing =
        StoreProxy.of(
            store,
            (method, call) -> {
              if (method.equals("unleased")) {
                throw new HaqException(Reason.UNAVAILABLE, "away");
              }
              return call.make();
            });
    service = service(failing, new SessionLeasesTest.Counted(), Duration.ZERO);
    SessionRecord created = service.create(spec, "", abort -> {});
    assertEquals(created, store.require(created.id()));
    service.pause(created.id(), "");
    assertEquals(SessionState.QUEUED, service.resume(created.id(), "").state());
  }

  @Test
  void whatOnlyHasToComeToRestNeedsNoPlace() throws InterruptedException {
    SessionRecord running = service.get(create());
    backends.awaitArrival();
    create();
    backends.awaitArrival();
    assertEquals(2, service.running(), "all places are taken");
    SessionRecord stopping =
        abandoned(running.definition(), s -> s.moved(SessionState.STOPPING, NOW));
    SessionRecord pausing = abandoned(running.definition(), s -> s.withPauseRequested(true, NOW));
    RecordingSink stopped = new RecordingSink();
    service.watch(stopping.id(), 0, stopped);
    stopped.awaitState(SessionState.STOPPED);
    RecordingSink paused = new RecordingSink();
    service.watch(pausing.id(), 0, paused);
    paused.awaitState(SessionState.PAUSED);
    assertEquals(2, service.running());
  }

  /** Waits for a count that is brought up to date soon after what it counts has changed. */
  static void await(int expected, IntSupplier count) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (count.getAsInt() != expected) {
      assertTrue(System.nanoTime() < deadline, "it is " + count.getAsInt());
      Thread.sleep(1);
    }
  }

  /** A session that was RUNNING in a process which died after {@code change}. */
  private SessionRecord abandoned(
      SessionRecord.Definition like, UnaryOperator<SessionRecord> change) {
    SessionRecord queued =
        store.create(
            SessionRecord.created(
                new SessionRecord.Definition(
                    UUID.randomUUID().toString(),
                    "",
                    like.spec(),
                    like.layers(),
                    like.budgets(),
                    like.extrapolated(),
                    like.fleet(),
                    like.createTime()),
                spec.limits()));
    SessionRecord preparing =
        store
            .lease(queued, queued.moved(SessionState.PREPARING, NOW), "dead", Duration.ZERO)
            .orElseThrow();
    SessionRecord running =
        store.update(preparing, preparing.moved(SessionState.RUNNING, NOW)).orElseThrow();
    return store.update(running, change.apply(running)).orElseThrow();
  }

  @Test
  void aStopThatAnotherProcessWasAskedForEndsPreparingToo() throws InterruptedException {
    backends.holdPreparing();
    CountDownLatch preparing = new CountDownLatch(1);
    backends.onPreparing(preparing::countDown);
    String id = create();
    RecordingSink sink = new RecordingSink();
    service.watch(id, 0, sink);
    preparing.await();
    try (SessionService other = service()) {
      assertEquals(SessionState.STOPPING, other.stop(id, "").state());
      sink.awaitEnd();
    }
    assertEquals(SessionState.STOPPED, service.get(id).state());
  }

  @Test
  void sessionsAreCountedWithoutWaitingForTheStore() {
    List<Integer> counts = new ArrayList<>();
    backends.onTaken(
        () -> {
          CompletableFuture<Integer> other =
              CompletableFuture.supplyAsync(() -> service.running() + service.queued());
          counts.add(other.orTimeout(30, TimeUnit.SECONDS).join());
        });
    create();
    assertEquals(1, counts.size());
  }

  private List<Double> undisturbed() throws InterruptedException {
    String id = create();
    RecordingSink sink = new RecordingSink();
    service.watch(id, 0, sink);
    service.extend(id, "", SessionLimits.episodes(MOST));
    for (int i = 0; i < MOST; i++) {
      backends.awaitArrival();
      backends.permit(1);
    }
    sink.awaitEnd();
    return rewards(id);
  }

  @Test
  void whoWatchesIsToldHowFarFineTuningIs() throws InterruptedException {
    spec = tuning(1);
    String id = create();
    RecordingSink sink = new RecordingSink();
    service.watch(id, 0, sink);
    backends.permit(1);
    sink.awaitEpoch(1);
    RecordingSink late = new RecordingSink();
    service.watch(id, 1, late);
    late.awaitEpoch(1);
    backends.permitTuning();
    sink.awaitEnd();
    late.awaitEnd();
    assertEquals(SessionState.SUCCEEDED, service.get(id).state());
  }

  @Test
  void anOldEtagChangesNothing() throws InterruptedException {
    String id = create();
    backends.awaitArrival();
    String etag = SessionService.etag(service.get(id));
    service.pause(id, etag);
    HaqException error = assertThrows(HaqException.class, () -> service.stop(id, etag));
    assertEquals(Reason.SESSION_CHANGED, error.reason());
    assertTrue(service.get(id).status().pauseRequested());
  }

  @Test
  void aWishThatIsThereAlreadyLeavesTheEtagAlone() throws InterruptedException {
    String id = create();
    backends.awaitArrival();
    String etag = SessionService.etag(service.get(id));
    assertEquals(etag, SessionService.etag(service.resume(id, etag)));
    String pausing = SessionService.etag(service.pause(id, etag));
    assertNotEquals(etag, pausing);
    assertEquals(pausing, SessionService.etag(service.pause(id, pausing)));
  }

  @Test
  void anEpisodeLeavesTheEtagAlone() throws InterruptedException {
    String id = create();
    RecordingSink sink = new RecordingSink();
    service.watch(id, 0, sink);
    backends.awaitArrival();
    String etag = SessionService.etag(service.get(id));
    backends.permit(1);
    sink.awaitEpisode(1);
    assertEquals(etag, SessionService.etag(service.get(id)));
  }

  @Test
  void aSessionEndsAsSoonAsNothingHasImprovedForLongEnough() throws InterruptedException {
    SessionRecord ended =
        ended(
            new SessionLimits(
                MOST, OptionalDouble.empty(), OptionalInt.of(4), OptionalDouble.empty()));
    assertEquals(Optional.of(EndReason.CONVERGED), ended.status().endReason());
    int best = ended.progress().best().orElseThrow().number();
    assertEquals(best + 4, ended.progress().episodesDone());
  }

  @Test
  void aSessionEndsAsSoonAsItsGoalIsReached() throws InterruptedException {
    SessionRecord ended =
        ended(
            new SessionLimits(
                MOST, OptionalDouble.empty(), OptionalInt.empty(), OptionalDouble.of(0)));
    assertEquals(Optional.of(EndReason.GOAL), ended.status().endReason());
    assertEquals(1, ended.progress().episodesDone());
  }

  @Test
  void aSessionEndsOnceItsEpisodesTookTheTimeItWasGiven() throws InterruptedException {
    SessionRecord ended =
        ended(
            new SessionLimits(
                MOST, OptionalDouble.of(1e-9), OptionalInt.empty(), OptionalDouble.empty()));
    assertEquals(Optional.of(EndReason.WALL_TIME), ended.status().endReason());
    assertEquals(1, ended.progress().episodesDone());
  }

  @Test
  void theTimeThatStoringTakesCounts() throws InterruptedException {
    service.close();
    SessionStore slow =
        StoreProxy.of(
            store,
            (method, call) -> {
              if (method.equals("append")) {
                Thread.sleep(100);
              }
              return call.make();
            });
    service = service(slow, new SessionLeasesTest.Counted(), Duration.ZERO);
    service.start();
    SessionRecord ended =
        ended(
            new SessionLimits(
                MOST, OptionalDouble.of(0.5), OptionalInt.empty(), OptionalDouble.empty()));
    assertEquals(Optional.of(EndReason.WALL_TIME), ended.status().endReason());
    assertTrue(ended.progress().episodesDone() <= 6, ended.progress() + " within half a second");
  }

  @Test
  void timeCountsOnceThoughEpisodesAreSideBySide() throws InterruptedException {
    spec = withPace(new SessionSpec.Pace(4, true));
    long start = System.nanoTime();
    String id = create();
    RecordingSink sink = new RecordingSink();
    service.watch(id, 0, sink);
    for (int i = 0; i < EPISODES; i++) {
      Thread.sleep(20);
      backends.permit(1);
    }
    sink.awaitEnd();
    double passed = (System.nanoTime() - start) * 1e-9;
    SessionRecord ended = service.get(id);
    assertEquals(EPISODES, ended.progress().episodesDone());
    assertTrue(ended.progress().episodeSeconds() <= passed, ended.progress() + " in " + passed);
    assertEquals(
        ended.progress().episodeSeconds(),
        service.episodes(id, 0, MOST).stream().mapToDouble(Episode::elapsedSeconds).sum(),
        1e-9);
  }

  @Test
  void aSessionWhoseBudgetHasMovedFailsAndSaysSo() throws InterruptedException {
    String id = create();
    backends.awaitArrival();
    backends.permit(2);
    backends.awaitArrival();
    backends.awaitArrival();
    service.close();
    backends.scaleCosts(1.25);
    service = service();
    RecordingSink sink = new RecordingSink();
    service.watch(id, 0, sink);
    service.start();
    sink.awaitEnd();
    SessionRecord failed = service.get(id);
    assertEquals(SessionState.FAILED, failed.state());
    assertEquals(
        "the limit of the LATENCY budget has moved from 153.6 to 192.0 s since the session was created: bring back the simulator and target that it was created with, or create a new session",
        failed.status().error());
    assertEquals(2, failed.progress().episodesDone());
  }

  @Test
  void moreEpisodesAskedForWhileTheLastOneIsStoredAreDone() throws InterruptedException {
    service.close();
    AtomicReference<String> id = new AtomicReference<>();
    AtomicInteger stored = new AtomicInteger();
    service =
        service(
            new SessionLeasesTest.Counted() {
              @Override
              public void episode(Reward reward, Episode episode, double storeSeconds) {
                if (stored.incrementAndGet() == EPISODES) {
                  service.extend(id.get(), "", SessionLimits.episodes(EPISODES + FURTHER));
                }
              }
            });
    service.start();
    id.set(create());
    RecordingSink sink = new RecordingSink();
    service.watch(id.get(), 0, sink);
    backends.permit(MOST);
    sink.awaitEnd();
    SessionRecord ended = service.get(id.get());
    assertEquals(SessionState.SUCCEEDED, ended.state(), ended.status().error());
    assertEquals(EPISODES + FURTHER, ended.progress().episodesDone());
  }

  @Test
  void whatTheStoreDoesAndCannotAnswerIsDoneOnce() throws InterruptedException {
    service.close();
    AtomicInteger calls = new AtomicInteger();
    List<String> patient = List.of("append", "update", "checkpoint");
    SessionStore unsteady =
        StoreProxy.of(
            store,
            (method, call) -> {
              Object answer = call.make();
              if (patient.contains(method) && calls.incrementAndGet() % 2 == 0) {
                throw new HaqException(Reason.UNAVAILABLE, "the answer is lost");
              }
              return answer;
            });
    service = service(unsteady, new SessionLeasesTest.Counted(), Duration.ofSeconds(30));
    service.start();
    String id = create();
    RecordingSink sink = new RecordingSink();
    service.watch(id, 0, sink);
    backends.permit(EPISODES);
    sink.awaitEnd();
    SessionRecord ended = service.get(id);
    assertEquals(SessionState.SUCCEEDED, ended.state(), ended.status().error());
    assertEquals(IntStream.rangeClosed(1, EPISODES).boxed().toList(), sink.episodes());
  }

  @Test
  void aSessionWhoseStoreIsAwayForTooLongIsTakenUpAgain() throws InterruptedException {
    service.close();
    AtomicInteger appends = new AtomicInteger();
    SessionStore unsteady =
        StoreProxy.of(
            store,
            (method, call) -> {
              if (method.equals("append") && appends.incrementAndGet() == 3) {
                throw new HaqException(Reason.UNAVAILABLE, "the store is away");
              }
              return call.make();
            });
    service = service(unsteady, new SessionLeasesTest.Counted(), Duration.ZERO);
    service.start();
    String id = create();
    RecordingSink sink = new RecordingSink();
    service.watch(id, 0, sink);
    backends.permit(EPISODES + 1);
    sink.awaitEnd();
    SessionRecord ended = service.get(id);
    assertEquals(SessionState.SUCCEEDED, ended.state(), ended.status().error());
    assertEquals(IntStream.rangeClosed(1, EPISODES).boxed().toList(), sink.episodes());
  }

  private SessionRecord ended(SessionLimits limits) throws InterruptedException {
    String id = create();
    service.extend(id, "", limits);
    RecordingSink sink = new RecordingSink();
    service.watch(id, 0, sink);
    backends.permit(MOST);
    sink.awaitEnd();
    assertEquals(SessionState.SUCCEEDED, service.get(id).state());
    return service.get(id);
  }

  private List<Double> rewards(String id) {
    return service.episodes(id, 0, MOST).stream()
        .map(Episode::result)
        .map(result -> result.reward())
        .toList();
  }

  private String create() {
    return service.create(spec, "", abort -> {}).id();
  }

  private SessionService service() {
    return service(new SessionLeasesTest.Counted());
  }

  private SessionService service(SessionMetrics metrics) {
    return service(store, metrics, Duration.ZERO);
  }

  private SessionService service(SessionStore behind, SessionMetrics metrics, Duration patience) {
    SessionTerms terms = new SessionTerms(2, Duration.ofSeconds(30), patience);
    return new SessionService(behind, new OneSpec(), backends, metrics, terms);
  }

  static final SessionSpec SPEC =
      new SessionSpec(
          "life",
          "model",
          DataSelection.all("data"),
          new TargetHandle("target", new byte[0]),
          List.of(Budget.ratio(Resource.LATENCY, 0.6)),
          "ddpg",
          SessionLimits.episodes(EPISODES),
          3,
          Recipe.HAQ,
          Optional.empty(),
          Optional.empty(),
          Pinning.FIRST_AND_LAST,
          List.of(),
          new DdpgSettings(8, 8, 1e-3, 1e-2, 0.1, 1, 4, 4, 2, 0.5, 0.9, 1, 0.5),
          Reward.ACCURACY,
          SessionSpec.Pace.ONE,
          List.of(),
          Optional.empty());

  /** Is fine-tuned in the end, which comes after so many episodes at first. */
  private static SessionSpec tuning(int episodes) {
    return new SessionSpec(
        SPEC.name(),
        SPEC.model(),
        SPEC.data(),
        SPEC.target(),
        SPEC.budgets(),
        SPEC.agent(),
        SessionLimits.episodes(episodes),
        SPEC.seed(),
        SPEC.recipe(),
        SPEC.weightBits(),
        SPEC.activationBits(),
        SPEC.pinning(),
        SPEC.layerWidths(),
        SPEC.ddpg(),
        SPEC.reward(),
        SPEC.pace(),
        List.of(),
        Optional.of(FineTuning.DEFAULT));
  }

  private static SessionSpec withPace(SessionSpec.Pace pace) {
    return new SessionSpec(
        SPEC.name(),
        SPEC.model(),
        SPEC.data(),
        SPEC.target(),
        SPEC.budgets(),
        SPEC.agent(),
        SPEC.limits(),
        SPEC.seed(),
        SPEC.recipe(),
        SPEC.weightBits(),
        SPEC.activationBits(),
        SPEC.pinning(),
        SPEC.layerWidths(),
        SPEC.ddpg(),
        SPEC.reward(),
        pace,
        List.of(),
        Optional.empty());
  }

  /** All sessions of one life have the same specification. */
  private final class OneSpec implements SpecCodec {
    @Override
    public String encode(SessionSpec spec) {
      return "{}";
    }

    @Override
    public SessionSpec decode(String text) {
      return spec;
    }
  }
}
