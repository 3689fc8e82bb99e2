package dev.haq.agent.session;

import dev.haq.model.HaqException;
import dev.haq.model.Layer;
import dev.haq.model.Network;
import dev.haq.model.Reason;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Everything that can be asked of sessions. Methods may be called by any thread and block; each
 * throws {@link HaqException} with UNKNOWN_SESSION for an id that does not exist, and ILLEGAL_STATE
 * where a session's state does not allow what was asked.
 */
public final class SessionService implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SessionService.class);
  private static final int LONGEST_REQUEST_ID = 128;

  private final SessionStore store;
  private final SpecCodec codec;
  private final Backend.Factory backends;
  private final SessionWatchers watchers;
  private final SessionLedger ledger;
  private final SessionQueue queue;
  private final Duration patience;

  public SessionService(
      SessionStore store,
      SpecCodec codec,
      Backend.Factory backends,
      SessionMetrics metrics,
      SessionTerms terms) {
    this.store = store;
    this.codec = codec;
    this.backends = backends;
    patience = terms.patience();
    watchers = new SessionWatchers(store);
    ledger = new SessionLedger(store, watchers, metrics);
    queue =
        new SessionQueue(UUID.randomUUID().toString(), terms, store, ledger, watchers, this::run);
  }

  /** Begins to work on sessions, also on those that a process before this one left unfinished. */
  public void start() {
    queue.start();
  }

  /**
   * Creates a session and queues it, having made sure that it can run: model, images and target
   * exist and fit, and the budget can be met. Nothing is stored of one that cannot.
   *
   * @param requestId at most 128 characters; when not empty, a second call with it and the same
   *     spec answers the first call's session
   * @param onAbort is given what ends the call under way, in case the caller leaves
   */
  public SessionRecord create(SessionSpec spec, String requestId, Consumer<Runnable> onAbort) {
    if (requestId.length() > LONGEST_REQUEST_ID) {
      throw HaqException.invalid(
          "request_id has %d characters: use at most %d", requestId.length(), LONGEST_REQUEST_ID);
    }
    if (requestId.chars().anyMatch(Character::isISOControl)) {
      throw HaqException.invalid("request_id has a control character: use those that are printed");
    }
    String encoded = codec.encode(spec);
    Optional<SessionRecord> first =
        requestId.isEmpty() ? Optional.empty() : store.findByRequestId(requestId);
    if (first.isPresent()) {
      return sameRequest(first.get(), encoded);
    }
    SessionRecord wanted =
        SessionRecord.created(define(spec, encoded, requestId, onAbort), spec.limits());
    SessionRecord stored = enter(wanted);
    return stored.id().equals(wanted.id()) ? stored : sameRequest(stored, encoded);
  }

  private SessionRecord enter(SessionRecord wanted) {
    return begun(store.create(wanted));
  }

  /**
   * Begins a session that waits for a place if there is one, and answers how it stands then. What
   * was asked for is stored: that the store fails now is no answer to it.
   */
  private SessionRecord begun(SessionRecord stored) {
    try {
      queue.fill();
      return ledger.get(stored.id());
    } catch (RuntimeException e) {
      LOG.warn("session {} is begun later: {}", stored.id(), e.getMessage());
      return stored;
    }
  }

  private SessionRecord sameRequest(SessionRecord first, String encoded) {
    SessionRecord.Definition definition = first.definition();
    if (!codec.encode(codec.decode(definition.spec())).equals(encoded)) {
      throw new HaqException(
          Reason.REQUEST_ID_REUSED,
          "request_id '%s' has already made the different session %s: use a new request_id"
              .formatted(definition.requestId(), first.id()));
    }
    return first;
  }

  private SessionRecord.Definition define(
      SessionSpec spec, String encoded, String requestId, Consumer<Runnable> onAbort) {
    try (Backend backend = backends.open(spec, false)) {
      onAbort.accept(backend::abort);
      Network network = backend.network();
      backend.checkData(network);
      SearchPlan plan = SearchPlan.of(spec, network, target -> backend.costs(network, target));
      plan.checkSize();
      return new SessionRecord.Definition(
          UUID.randomUUID().toString(),
          requestId,
          encoded,
          network.layers().stream().map(Layer::name).toList(),
          plan.budgets(),
          plan.isExtrapolated(),
          plan.fleet(),
          SessionLedger.now());
    }
  }

  /**
   * How a session is worked on whose turn has come.
   *
   * @return empty when it cannot be, and has failed
   */
  private Optional<SessionRun> run(SessionRecord leased) {
    try {
      SessionSpec spec = codec.decode(leased.definition().spec());
      Backend backend = backends.open(spec, true);
      Patience waiting = Patience.waiting(patience);
      return Optional.of(new SessionRun(leased, spec, ledger, store, backend, waiting));
    } catch (RuntimeException e) {
      LOG.error("session {} cannot be started", leased.id(), e);
      String error = "the session cannot be started: " + e.getMessage();
      ledger.change(
          leased.id(),
          s ->
              s.state() == SessionState.PREPARING
                  ? s.ended(SessionState.FAILED, EndReason.ERROR, error, SessionLedger.now())
                  : s);
      return Optional.empty();
    }
  }

  public SessionRecord get(String id) {
    return ledger.get(id);
  }

  /**
   * Newest first.
   *
   * @param before {@link SessionStore.Page#next} of the page before; empty for the newest
   */
  public SessionStore.Page list(OptionalLong before, int limit) {
    return store.list(before, limit);
  }

  /**
   * Oldest first.
   *
   * @param after only episodes with a higher number
   */
  public List<Episode> episodes(String id, int after, int limit) {
    ledger.get(id);
    return store.episodes(id, after, limit);
  }

  /**
   * Sends {@code sink} the session as it stands, every episode past {@code afterEpisode} once and
   * in order, new ones as they are stored, the session after each change that has an etag of its
   * own, and last of all the final state. Every change that this process makes is sent; of those
   * that another makes, the latest as it is read once a second.
   */
  public void watch(String id, int afterEpisode, WatchSink sink) {
    if (afterEpisode < 0) {
      throw HaqException.invalid("after_episode is %d: use 0 for all episodes", afterEpisode);
    }
    ledger.watch(id, afterEpisode, sink);
  }

  /** Tells a session from itself after a change of anything but its episodes. */
  public static String etag(SessionRecord session) {
    return Long.toString(session.version().revision());
  }

  /**
   * @param etag of the session as the caller knows it; empty for any
   * @throws HaqException SESSION_CHANGED
   */
  private static void checkEtag(SessionRecord session, String etag) {
    if (!etag.isEmpty() && !etag.equals(etag(session))) {
      throw new HaqException(
          Reason.SESSION_CHANGED,
          "session %s has changed since etag %s, it is %s now: read it again"
              .formatted(session.id(), etag, session.state()));
    }
  }

  /** Changes a session as the caller knows it; who works on it here is told. */
  private SessionRecord change(String id, String etag, UnaryOperator<SessionRecord> change) {
    SessionRecord after =
        ledger.change(
            id,
            s -> {
              checkEtag(s, etag);
              return change.apply(s);
            });
    queue.tell(after);
    return after;
  }

  /**
   * Pauses the session after the episode under way; what comes before the first and fine-tuning at
   * once.
   */
  public SessionRecord pause(String id, String etag) {
    return change(
        id,
        etag,
        s ->
            switch (s.state()) {
              case PAUSED -> s;
              case RUNNING -> s.withPauseRequested(true, SessionLedger.now());
              default -> s.moved(SessionState.PAUSED, SessionLedger.now());
            });
  }

  /** Lets a paused session go on, or withdraws a pause that has not come about. */
  public SessionRecord resume(String id, String etag) {
    return begun(
        change(
            id,
            etag,
            s ->
                switch (s.state()) {
                  case QUEUED -> s;
                  case PREPARING, RUNNING, FINE_TUNING ->
                      s.withPauseRequested(false, SessionLedger.now());
                  default -> s.moved(SessionState.QUEUED, SessionLedger.now());
                }));
  }

  /**
   * Ends the session after the episode under way; what comes before the first and fine-tuning at
   * once. Its best policy is kept.
   */
  public SessionRecord stop(String id, String etag) {
    return change(
        id,
        etag,
        s ->
            switch (s.state()) {
              case STOPPING, STOPPED -> s;
              case PREPARING, RUNNING -> s.moved(SessionState.STOPPING, SessionLedger.now());
              default -> s.ended(SessionState.STOPPED, EndReason.USER, "", SessionLedger.now());
            });
  }

  /** Ends the session now; the episode under way is dropped, what is stored is kept. */
  public SessionRecord cancel(String id, String etag) {
    return change(
        id,
        etag,
        s ->
            s.state() == SessionState.CANCELLED
                ? s
                : s.ended(SessionState.CANCELLED, EndReason.USER, "", SessionLedger.now()));
  }

  /** Gives the session other limits; one that has ended or is fine-tuning is queued again. */
  public SessionRecord extend(String id, String etag, SessionLimits limits) {
    SessionSpec spec = codec.decode(ledger.get(id).definition().spec());
    boolean tuned = spec.finalFineTuning().isPresent();
    return begun(
        change(
            id,
            etag,
            s -> {
              if (s.state().isFinal()) {
                limits.checkAhead(s.progress());
              }
              return s.extended(limits, tuned && !s.progress().isTuned(), SessionLedger.now());
            }));
  }

  /** Deletes a session on which nothing works. */
  public void delete(String id, String etag) {
    ledger.delete(
        id,
        s -> {
          checkEtag(s, etag);
          if (s.state().isActive()) {
            throw new HaqException(
                Reason.ILLEGAL_STATE,
                "session %s is %s: cancel it before you delete it".formatted(id, s.state()));
          }
        });
  }

  /** How far a session's final fine-tuning is, where it is done by this process. */
  public Optional<TuningProgress> tuning(SessionRecord session) {
    return session.state() == SessionState.FINE_TUNING
        ? watchers.tuning(session.id())
        : Optional.empty();
  }

  /** How far a session is that this process prepares; empty for any other. */
  public Optional<Preparation> preparation(String id) {
    return queue.preparation(id);
  }

  /** Sessions that run now. */
  public int running() {
    return queue.runningCount();
  }

  /** Sessions whose lease this process holds. */
  public int leased() {
    return queue.leasedCount();
  }

  /** Sessions that wait for a place. */
  public int queued() {
    return queue.queuedCount();
  }

  /** Open watches. */
  public int watching() {
    return watchers.size();
  }

  /** Drops what is under way, leaves sessions as they are stored, and ends all watches. */
  @Override
  public void close() {
    watchers.close();
    queue.close();
  }
}
