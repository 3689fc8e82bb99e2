package dev.haq.agent.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.agent.ddpg.DdpgSettings;
import dev.haq.agent.search.EndReason;
import dev.haq.agent.search.Episode;
import dev.haq.agent.search.Pinning;
import dev.haq.agent.search.SessionLimits;
import dev.haq.agent.search.SessionRecord;
import dev.haq.agent.search.SessionState;
import dev.haq.agent.search.SessionStore;
import dev.haq.agent.store.SqlSessionStore;
import dev.haq.model.Budget;
import dev.haq.model.DataSelection;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.model.Recipe;
import dev.haq.model.Resource;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A session's life against a model of it: whatever is asked of it, in whatever order, its state is
 * the one the model says, and its log is a beginning of the undisturbed one.
 */
final class SessionLifeTest {
  private static final int EPISODES = 12;
  private static final int LIVES = 25;
  private static final int STEPS = 30;

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
    List<Double> undisturbed = undisturbed();
    for (int life = 0; life < LIVES; life++) {
      live(new Random(life), undisturbed);
    }
  }

  private void live(Random random, List<Double> undisturbed) throws InterruptedException {
    String id = create();
    backends.awaitArrival();
    state = SessionState.RUNNING;
    pausing = false;
    done = 0;
    total = EPISODES;
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
    }
  }

  private static int last(List<Integer> seen) {
    return seen.isEmpty() ? 0 : seen.get(seen.size() - 1);
  }

  private void take(Step step, String id) throws InterruptedException {
    boolean legal = isLegal(step);
    if (!legal) {
      if (step != Step.EPISODE) {
        HaqException error = assertThrows(HaqException.class, () -> ask(step, id));
        assertEquals(Reason.ILLEGAL_STATE, error.reason());
      }
      return;
    }
    ask(step, id);
    switch (step) {
      case PAUSE -> pausing = state == SessionState.RUNNING;
      case RESUME -> {
        pausing = false;
        if (state == SessionState.PAUSED) {
          state = SessionState.RUNNING;
          backends.awaitArrival();
        }
      }
      case STOP -> {
        pausing = false;
        state = state == SessionState.PAUSED ? SessionState.STOPPED : SessionState.STOPPING;
      }
      case CANCEL -> {
        pausing = false;
        state = SessionState.CANCELLED;
      }
      case EXTEND -> {
        total += FURTHER;
        if (state.isFinal()) {
          pausing = false;
          state = SessionState.RUNNING;
          backends.awaitArrival();
        }
      }
      case EPISODE -> episodeDone();
      case DELETE, RESTART -> throw new IllegalStateException();
    }
  }

  private boolean isLegal(Step step) {
    return switch (step) {
      case PAUSE, RESUME -> state == SessionState.RUNNING || state == SessionState.PAUSED;
      case STOP, CANCEL -> !state.isFinal();
      case EXTEND -> state != SessionState.STOPPING;
      case DELETE -> state == SessionState.PAUSED || state.isFinal();
      case EPISODE -> state == SessionState.RUNNING || state == SessionState.STOPPING;
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
      case RESTART -> throw new IllegalStateException();
    }
  }

  private void episodeDone() throws InterruptedException {
    done++;
    if (done == total) {
      state = SessionState.SUCCEEDED;
    } else if (state == SessionState.STOPPING) {
      state = SessionState.STOPPED;
    } else if (pausing) {
      state = SessionState.PAUSED;
    } else {
      backends.awaitArrival();
    }
    pausing = false;
  }

  private void restarted() throws InterruptedException {
    if (state == SessionState.STOPPING) {
      state = SessionState.STOPPED;
    } else if (state == SessionState.RUNNING && pausing) {
      state = SessionState.PAUSED;
    } else if (state == SessionState.RUNNING) {
      backends.awaitArrival();
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
  void aSessionWithAPlaceLeavesTheLineBeforeItCanBePausedAndQueuedAgain()
      throws InterruptedException {
    String id = create();
    assertNotEquals(SessionState.QUEUED, service.get(id).state());
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
    assertEquals(0, service.queued());
  }

  @Test
  void aStopWhileASessionPreparesEndsIt() throws InterruptedException {
    backends.onPreparing(() -> service.stop(service.list("", 1).get(0).id(), ""));
    String id = create();
    RecordingSink sink = new RecordingSink();
    service.watch(id, 0, sink);
    sink.awaitEnd();
    assertEquals(SessionState.STOPPED, service.get(id).state());
    assertEquals(List.of(), sink.episodes());
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
    assertEquals(List.of(0), counts);
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
    return service.create(SPEC, "", abort -> {}).id();
  }

  private SessionService service() {
    return new SessionService(
        store, new OneSpec(), backends, SessionMetrics.NONE, 2, Duration.ofSeconds(30));
  }

  private static final SessionSpec SPEC =
      new SessionSpec(
          "life",
          "model",
          DataSelection.all("data"),
          new TargetHandle("target", new byte[0]),
          Budget.ratio(Resource.LATENCY, 0.6),
          "ddpg",
          SessionLimits.episodes(EPISODES),
          3,
          Recipe.HAQ,
          Optional.empty(),
          Optional.empty(),
          Pinning.FIRST_AND_LAST,
          new DdpgSettings(8, 8, 1e-3, 1e-2, 0.1, 1, 4, 4, 2, 0.5, 0.9, 1, 0.5));

  /** All sessions of this test have the same specification. */
  private static final class OneSpec implements SpecCodec {
    @Override
    public String encode(SessionSpec spec) {
      return "{}";
    }

    @Override
    public SessionSpec decode(String text) {
      return SPEC;
    }
  }
}
