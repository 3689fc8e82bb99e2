package dev.haq.agent.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.haq.agent.search.BudgetLimit;
import dev.haq.agent.store.SqlSessionStore;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A watch whose session another process works on: not every state of it is seen. */
final class SessionWatchTest {
  private static final Instant NOW = Instant.EPOCH;
  private static final SessionRecord RUNNING =
      SessionRecord.created(
              new SessionRecord.Definition(
                  "id",
                  "",
                  "{}",
                  List.of("a"),
                  List.of(new BudgetLimit(1, 1)),
                  false,
                  Fleet.NONE,
                  NOW),
              SessionLimits.episodes(10))
          .moved(SessionState.PREPARING, NOW)
          .moved(SessionState.RUNNING, NOW);
  private static final SessionRecord SUCCEEDED =
      at(1, RUNNING.ended(SessionState.SUCCEEDED, EndReason.EPISODES, "", NOW));
  private static final SessionRecord EXTENDED =
      at(2, SUCCEEDED.extended(SessionLimits.episodes(20), false, NOW));

  private final SessionStore store = SqlSessionStore.open("memory");
  private final RecordingSink sink = new RecordingSink();
  private final SessionWatch watch =
      new SessionWatch(RUNNING, 0, store, sink, Runnable::run, over -> {});

  @AfterEach
  void close() {
    store.close();
  }

  @Test
  void anEndThatWasNotSeenBeforeAnExtensionEndsNothing() throws InterruptedException {
    watch.start();
    tell(EXTENDED);
    assertEquals(List.of(SessionState.RUNNING, SessionState.QUEUED), sink.states());
    tell(at(5, RUNNING));
    tell(at(6, SUCCEEDED));
    sink.awaitEnd();
    assertNull(sink.failure());
    assertEquals(
        List.of(
            SessionState.RUNNING,
            SessionState.QUEUED,
            SessionState.RUNNING,
            SessionState.SUCCEEDED),
        sink.states());
  }

  @Test
  void anEndThatWasSeenIsTheLastEventEvenWhenAnExtensionFollows() throws InterruptedException {
    sink.fill();
    watch.start();
    tell(SUCCEEDED);
    tell(EXTENDED);
    sink.drain();
    sink.awaitEnd();
    assertEquals(List.of(SessionState.RUNNING, SessionState.SUCCEEDED), sink.states());
  }

  @Test
  void everyChangeThatHasAnEtagIsSentThoughTheStateIsTheSame() {
    watch.start();
    tell(at(1, RUNNING.withPauseRequested(true, NOW)));
    tell(at(2, RUNNING.extended(SessionLimits.episodes(20), false, NOW)));
    assertEquals(Collections.nCopies(3, SessionState.RUNNING), sink.states());
    tell(at(2, RUNNING));
    assertEquals(3, sink.states().size(), "it is known already");
  }

  private void tell(SessionRecord session) {
    watch.tell(session);
    watch.wake();
  }

  private static SessionRecord at(int revision, SessionRecord session) {
    return session.with(new SessionRecord.Version(revision, 0));
  }
}
