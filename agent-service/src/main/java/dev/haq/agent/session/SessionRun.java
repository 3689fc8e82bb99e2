package dev.haq.agent.session;

import dev.haq.agent.search.AccuracyEvaluator;
import dev.haq.agent.search.EpisodeResult;
import dev.haq.agent.search.EpisodeWindow;
import dev.haq.agent.search.Search;
import dev.haq.agent.search.Stopwatch;
import dev.haq.model.Accuracy;
import dev.haq.model.HaqException;
import dev.haq.model.Network;
import dev.haq.model.Reason;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Works on one session, leased and PREPARING, on a thread of its own, from where its log ends:
 * prepares, then runs episode after episode, and at last fine-tunes the best policies. Between
 * episodes it does what was asked of the session meanwhile. Once another process has taken the
 * session over it changes nothing any more.
 */
final class SessionRun implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(SessionRun.class);
  private static final int LONGEST_ERROR = 1000;
  private static final String STORE = "the session store";

  /** Between two reports of how far fine-tuning is. */
  private static final long PROGRESS_NANOS = 1_000_000_000;

  private final String id;
  private final long fence;
  private final SessionSpec spec;
  private final SessionLedger ledger;
  private final SessionStore store;
  private final Backend backend;
  private final Patience patience;
  private final AtomicBoolean leaseLost = new AtomicBoolean();
  private volatile boolean halted;

  /** Whether an episode may be under way. */
  private volatile boolean searching;

  private volatile Optional<Preparation> preparation = Optional.empty();

  /**
   * @param leased the session as it stands under the lease that this run works under
   * @param patience with the store
   */
  SessionRun(
      SessionRecord leased,
      SessionSpec spec,
      SessionLedger ledger,
      SessionStore store,
      Backend backend,
      Patience patience) {
    this.id = leased.id();
    this.fence = leased.version().fence();
    this.spec = spec;
    this.ledger = ledger;
    this.store = store;
    this.backend = backend;
    this.patience = patience;
  }

  /** Drops what is under way and leaves the session as it is stored: this process is ending. */
  void halt() {
    halted = true;
    patience.abort();
    backend.abort();
  }

  /** How far it is before the first episode, while it measures. */
  Optional<Preparation> preparation() {
    return preparation;
  }

  private void prepared(Preparation now) {
    preparation = Optional.of(now);
    ledger.progressed(id);
  }

  /** The lease it works under. */
  long fence() {
    return fence;
  }

  /** Whether it still holds that lease, as far as is known here. */
  boolean isLeased() {
    return !leaseLost.get();
  }

  private void leaseLost() {
    if (!leaseLost.getAndSet(true)) {
      ledger.leaseLost();
    }
  }

  /** Another process took the session over, which has nothing left to do here. */
  private static final class TakenOver extends RuntimeException {
    TakenOver(String id) {
      super("session " + id + " was taken over by another process");
    }
  }

  /** The store has been away for too long: the session stays as it is stored. */
  private static final class StoreAway extends RuntimeException {
    StoreAway(HaqException cause) {
      super(cause.getMessage(), cause);
    }
  }

  /** Asks the store, and asks it again while it is away: what was evaluated is not to be lost. */
  private <R> R stored(Supplier<R> call) {
    try {
      return patience.call(STORE, call);
    } catch (HaqException e) {
      throw e.reason() == Reason.UNAVAILABLE ? new StoreAway(e) : e;
    }
  }

  private SessionRecord session() {
    return stored(() -> ledger.get(id));
  }

  /** Changes the session, as long as it is this run's. */
  private SessionRecord change(UnaryOperator<SessionRecord> change) {
    return stored(
        () ->
            ledger.change(
                id,
                session -> {
                  if (session.version().fence() != fence) {
                    leaseLost();
                    throw new TakenOver(id);
                  }
                  return change.apply(session);
                }));
  }

  /** Drops what is under way: there is no such session any more. */
  void abort() {
    backend.abort();
  }

  /**
   * Lets it know how the session stands: what is under way is dropped where nobody waits for it any
   * more. A stop waits for an episode, not for what comes before the first.
   */
  void tell(SessionRecord session) {
    SessionState state = session.state();
    boolean awaited = state == SessionState.STOPPING ? searching : state.isActive();
    boolean takenOver = session.version().fence() > fence;
    if (takenOver) {
      leaseLost();
    }
    if (!awaited || takenOver) {
      backend.abort();
    }
  }

  @Override
  public void run() {
    try (backend;
        Evaluators evaluators = Evaluators.of(spec.pace(), id)) {
      if (searches(heed())) {
        EpisodeWindow episodes = prepare(evaluators);
        if (searches(heed())) {
          begin();
          runEpisodes(episodes);
        }
      }
      tune();
    } catch (Throwable e) {
      explain(e);
    }
  }

  /** Whether there are episodes to do; of a session that {@link #heed} has answered. */
  private boolean searches(SessionRecord session) {
    return !halted
        && (session.state() == SessionState.PREPARING || session.state() == SessionState.RUNNING);
  }

  /** PREPARING becomes RUNNING, unless something else was asked for. */
  private void begin() {
    searching = true;
    change(
        s ->
            s.state() == SessionState.PREPARING
                ? s.moved(SessionState.RUNNING, SessionLedger.now())
                : s);
  }

  /**
   * What a session needs before its first episode, or the first after it was taken up again: the
   * episodes that its agent will propose.
   */
  private EpisodeWindow prepare(Executor evaluators) {
    SessionRecord session = session();
    Network network = backend.network();
    SearchPlan plan =
        SearchPlan.again(
            session.definition(), spec, network, target -> backend.costs(network, target));
    AccuracyEvaluator evaluator = backend.evaluator(network, session.progress().baseline());
    if (session.progress().baseline().isEmpty()) {
      Accuracy baseline = evaluator.baseline();
      change(s -> s.with(baseline));
    }
    Search search = plan.search(evaluator, backend.sensitivities(network, this::prepared));
    preparation = Optional.empty();
    EpisodeWindow episodes = new EpisodeWindow(search, spec.pace().window(), evaluators);
    int done = session.progress().episodesDone();
    if (done > 0) {
      episodes.restore(
          done,
          stored(() -> store.checkpoint(id))
              .orElseThrow(
                  () -> new IllegalStateException("session " + id + " has lost its checkpoint")));
    }
    return episodes;
  }

  private void runEpisodes(EpisodeWindow episodes) {
    SessionRecord session = heed();
    Stopwatch watch = new Stopwatch();
    while (searches(session)) {
      EpisodeResult result = episodes.next(session.limits().episodes());
      byte[] snapshot = episodes.snapshot();
      Episode episode = session.progress().next(result, watch.lap(), SessionLedger.now());
      stored(() -> ledger.append(id, fence, spec.reward(), episode, snapshot));
      session = heed();
    }
  }

  /**
   * Between two episodes: ends the search where a limit is reached, and does what was asked for
   * since the last look. Limits may have been changed meanwhile: those that the answer has are not
   * reached while it is RUNNING.
   */
  private SessionRecord heed() {
    return change(
        s ->
            switch (s.state()) {
              case PREPARING, RUNNING, STOPPING ->
                  reached(s).map(reason -> searched(s, reason)).orElseGet(() -> asked(s));
              default -> s;
            });
  }

  private Optional<EndReason> reached(SessionRecord session) {
    return session.limits().reached(session.progress());
  }

  /** What follows the last episode. Who has asked for a stop does not wait for fine-tuning. */
  private SessionRecord searched(SessionRecord session, EndReason reason) {
    boolean tuned = spec.finalFineTuning().isEmpty() || session.progress().isTuned();
    if (tuned) {
      return session.ended(SessionState.SUCCEEDED, reason, "", SessionLedger.now());
    }
    boolean interrupted =
        session.state() == SessionState.STOPPING || session.status().pauseRequested();
    return interrupted
        ? asked(session)
        : session.moved(SessionState.FINE_TUNING, SessionLedger.now());
  }

  private static SessionRecord asked(SessionRecord session) {
    if (session.state() == SessionState.STOPPING) {
      return session.ended(SessionState.STOPPED, EndReason.USER, "", SessionLedger.now());
    }
    return session.status().pauseRequested()
        ? session.moved(SessionState.PAUSED, SessionLedger.now())
        : session;
  }

  /** Trains the best policies' networks, if the session has come to that. */
  private void tune() {
    SessionRecord session = session();
    if (tunes(session)) {
      Network network = backend.network();
      try {
        while (tunes(session)) {
          Episode best = session.progress().untuned().orElseThrow();
          Tuned tuned = backend.tune(network, best, tuningReports());
          session = change(s -> tunes(s) ? tuned(s.with(tuned)) : s);
        }
      } finally {
        ledger.tuningOver(id);
      }
    }
  }

  private boolean tunes(SessionRecord session) {
    return !halted
        && session.state() == SessionState.FINE_TUNING
        && session.version().fence() == fence;
  }

  /** The session has succeeded once the last network is trained. */
  private SessionRecord tuned(SessionRecord session) {
    return session.progress().isTuned()
        ? session.ended(
            SessionState.SUCCEEDED,
            reached(session).orElse(EndReason.EPISODES),
            "",
            SessionLedger.now())
        : session;
  }

  private Consumer<TuningProgress> tuningReports() {
    long[] told = {System.nanoTime() - PROGRESS_NANOS};
    return progress -> {
      if (System.nanoTime() - told[0] >= PROGRESS_NANOS) {
        told[0] = System.nanoTime();
        ledger.tuning(id, progress);
      }
    };
  }

  /** A call that was dropped because of a new state is no failure; everything else is. */
  private void explain(Throwable failure) {
    if (halted) {
      return;
    }
    try {
      if (failure instanceof StoreAway away) {
        throw away;
      }
      // Of a session that is to pause, a lasting failure is told first: it would come again.
      SessionState state = mayPass(failure) ? heed().state() : unlessStopping().state();
      String error = oneLine(failure);
      Throwable trace = failure instanceof HaqException ? null : failure;
      if (state.isActive()) {
        LOG.warn("session {} failed: {}", id, error, trace);
        change(
            s ->
                s.state().isActive()
                    ? s.ended(SessionState.FAILED, EndReason.ERROR, error, SessionLedger.now())
                    : s);
      } else if (state != SessionState.CANCELLED && !isAborted(failure)) {
        LOG.warn("session {} is {}, and what it was doing failed: {}", id, state, error, trace);
      }
    } catch (TakenOver e) {
      LOG.warn("{}; what was under way here is dropped", e.getMessage());
    } catch (StoreAway e) {
      LOG.warn("session {} stays as it is stored, to be taken up again: {}", id, e.getMessage());
    } catch (RuntimeException e) {
      if (e instanceof HaqException typed && typed.reason() == Reason.UNKNOWN_SESSION) {
        LOG.info("session {} was deleted", id);
        return;
      }
      // The store itself fails: the session stays as it is stored, as above.
      LOG.error("session {} broke off and its end cannot be stored", id, e);
    }
  }

  private SessionRecord unlessStopping() {
    SessionRecord session = session();
    return session.state() == SessionState.STOPPING ? heed() : session;
  }

  private static boolean mayPass(Throwable failure) {
    return isAborted(failure)
        || (failure instanceof HaqException e && e.reason() == Reason.UNAVAILABLE);
  }

  private static boolean isAborted(Throwable failure) {
    return failure instanceof HaqException e && e.reason() == Reason.CANCELLED;
  }

  private static String oneLine(Throwable failure) {
    String message = Optional.ofNullable(failure.getMessage()).orElse(failure.getClass().getName());
    String line = message.strip().lines().findFirst().orElse("");
    String text = failure instanceof HaqException ? line : "internal error: " + line;
    return text.length() <= LONGEST_ERROR ? text : text.substring(0, LONGEST_ERROR);
  }
}
