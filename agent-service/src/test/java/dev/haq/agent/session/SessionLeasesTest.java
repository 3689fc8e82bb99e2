package dev.haq.agent.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.agent.search.Reward;
import dev.haq.agent.store.SqlSessionStore;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What processes that share a store count of the sessions that they take from one another. */
final class SessionLeasesTest {
  private final SessionStore store = SqlSessionStore.open("memory");
  private final HeldBackends backends = new HeldBackends();
  private final Counted first = new Counted();
  private final Counted second = new Counted();

  @AfterEach
  void close() {
    store.close();
  }

  @Test
  void aLeaseThatRunsOutIsLostByOneProcessAndTakenOverByAnother() throws InterruptedException {
    // Of a process that is held up when it should renew its leases.
    SessionStore unrenewed =
        StoreProxy.of(store, (method, call) -> method.equals("renew") ? null : call.make());
    try (SessionService losing = service(unrenewed, first, 1);
        SessionService taking = service(store, second, 30)) {
      losing.start();
      String id = losing.create(SessionLifeTest.SPEC, "", abort -> {}).id();
      backends.awaitArrival();
      assertEquals(1, losing.leased());
      taking.start();
      backends.awaitArrival();
      assertEquals(1, taking.leased());
      SessionLifeTest.await(1, first.lost::get);
      SessionLifeTest.await(0, losing::leased);
      RecordingSink sink = new RecordingSink();
      taking.watch(id, 0, sink);
      backends.permit(1_000);
      sink.awaitEnd();
      assertEquals(SessionState.SUCCEEDED, taking.get(id).state());
      SessionLifeTest.await(0, taking::leased);
    }
    assertEquals(List.of(1, 0), List.of(first.lost.get(), second.lost.get()));
    assertEquals(List.of(0, 1), List.of(first.takenOver.get(), second.takenOver.get()));
  }

  @Test
  void leasesAreRenewedWhileALookAtTheStoreIsHeldUp() throws InterruptedException {
    CountDownLatch heldUp = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    CountDownLatch renewals = new CountDownLatch(2);
    SessionStore slow =
        StoreProxy.of(
            store,
            (method, call) -> {
              if (method.equals("findAll")) {
                heldUp.countDown();
                goOn.await();
              }
              if (method.equals("renew") && heldUp.getCount() == 0) {
                renewals.countDown();
              }
              return call.make();
            });
    try (SessionService service = service(slow, first, 1)) {
      service.start();
      service.create(SessionLifeTest.SPEC, "", abort -> {});
      backends.awaitArrival();
      heldUp.await();
      assertTrue(renewals.await(30, TimeUnit.SECONDS), "nothing is renewed");
      goOn.countDown();
    }
    assertEquals(0, first.lost.get());
  }

  @Test
  void whatAProcessLeftUnfinishedCountsAsTakenOverAndAsLostByNobody() throws InterruptedException {
    try (SessionService before = service(store, first, 30)) {
      before.start();
      before.create(SessionLifeTest.SPEC, "", abort -> {});
      backends.awaitArrival();
    }
    try (SessionService after = service(store, second, 30)) {
      after.start();
      backends.awaitArrival();
    }
    assertEquals(List.of(0, 0), List.of(first.lost.get(), second.lost.get()));
    assertEquals(List.of(0, 1), List.of(first.takenOver.get(), second.takenOver.get()));
  }

  private SessionService service(SessionStore ofProcess, Counted counted, int leaseSeconds) {
    SessionTerms terms = new SessionTerms(2, Duration.ofSeconds(leaseSeconds), Duration.ZERO);
    return new SessionService(ofProcess, new OneSpec(), backends, counted, terms);
  }

  private record OneSpec() implements SpecCodec {
    @Override
    public String encode(SessionSpec spec) {
      return "{}";
    }

    @Override
    public SessionSpec decode(String text) {
      return SessionLifeTest.SPEC;
    }
  }

  /** What happened to leases. */
  static class Counted implements SessionMetrics {
    private final AtomicInteger takenOver = new AtomicInteger();
    private final AtomicInteger lost = new AtomicInteger();

    @Override
    public void episode(Reward reward, Episode episode, double storeSeconds) {}

    @Override
    public void ended(String state) {}

    @Override
    public void takenOver() {
      takenOver.incrementAndGet();
    }

    @Override
    public void leaseLost() {
      lost.incrementAndGet();
    }
  }
}
