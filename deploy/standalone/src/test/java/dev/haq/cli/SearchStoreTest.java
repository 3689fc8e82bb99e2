package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.proto.agent.v1.CreateSessionRequest;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionSpec;
import dev.haq.proto.agent.v1.SessionState;
import dev.haq.proto.model.v1.DataSelection;
import dev.haq.standalone.Standalone;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the same command finds of a search that was stopped and not reported. */
@Timeout(120)
class SearchStoreTest {
  @TempDir Path folder;
  private Standalone services;
  private GatewayClient client;

  @BeforeEach
  void start() {
    services =
        Standalone.start(
            Standalone.Options.inside(
                folder.resolve("data"), Optional.of(folder.resolve("sessions"))));
    client = new GatewayClient(services.url());
  }

  @AfterEach
  void stop() {
    services.close();
  }

  @Test
  void aSearchThatASecondInterruptKeptFromItsReportGoesOn() throws InterruptedException {
    SessionSpec spec = spec("random");
    Session session = created(spec);
    await(session, s -> s.getEpisodesDone() > 0);
    client.act(session.getId(), "stop");
    Session stopped = await(session, s -> s.getState() == SessionState.STOPPED);
    SearchStore store = SearchStore.in(folder.resolve("out"));
    store.begin(spec, Optional.of(session));
    Session found = store.unfinished(client, spec).orElseThrow();
    assertEquals(session.getId(), found.getId());
    await(session, s -> s.getEpisodesDone() > stopped.getEpisodesDone());
    store.close();
  }

  @Test
  void aSearchThatEndedBeforeItHadFoundAnythingStartsAnew() throws InterruptedException {
    SessionSpec spec = spec("auto"); // which measures for seconds before its first episode
    Session session = created(spec);
    client.act(session.getId(), "stop");
    Session stopped = await(session, s -> SessionWatch.isFinal(s.getState()));
    assertFalse(stopped.hasBest());
    SearchStore store = SearchStore.in(folder.resolve("out"));
    store.begin(spec, Optional.of(session));
    assertTrue(store.unfinished(client, spec).isEmpty());
    store.close();
  }

  @Test
  void whatAnotherSpecificationHadFoundIsNotTakenForThisOnes() throws InterruptedException {
    Session other = created(spec("random"));
    await(other, s -> s.getEpisodesDone() > 0);
    client.act(other.getId(), "stop");
    await(other, s -> s.getState() == SessionState.STOPPED);
    SearchStore store = SearchStore.in(folder.resolve("out"));
    SessionSpec spec = spec("evolution");
    store.begin(spec, Optional.empty()); // and cut off before its session was created
    assertTrue(store.unfinished(client, spec).isEmpty());
    store.close();
  }

  @Test
  void aSearchThatWasCutOffWhileItWasFineTunedIsFineTuned() throws InterruptedException {
    SessionSpec.Builder spec = spec("random").toBuilder().setEpisodes(1);
    spec.getFinalFineTuningBuilder()
        .setData(DataSelection.newBuilder().setDataset("builtin:shapes").setMaxImages(64))
        .setEpochs(1_000);
    Session session = created(spec.build());
    await(session, s -> s.getState() == SessionState.FINE_TUNING);
    client.act(session.getId(), "stop");
    await(session, s -> s.getState() == SessionState.STOPPED);
    SearchStore store = SearchStore.in(folder.resolve("out"));
    store.begin(spec.build(), Optional.of(session));
    assertTrue(store.unfinished(client, spec.build()).isPresent());
    await(session, s -> s.getState() == SessionState.FINE_TUNING);
    client.act(session.getId(), "cancel");
    store.close();
  }

  @Test
  void soDoesOneOnAServer() throws InterruptedException {
    SessionSpec spec = spec("auto");
    Terminal terminal = Terminal.system(true);
    Session session;
    try (ServerSearch first = ServerSearch.in(folder.resolve("out"), terminal)) {
      session = first.create(client, spec);
    }
    client.act(session.getId(), "stop");
    await(session, s -> SessionWatch.isFinal(s.getState()));
    try (ServerSearch second = ServerSearch.in(folder.resolve("out"), terminal)) {
      assertTrue(second.unfinished(client, spec).isEmpty());
    }
  }

  private static SessionSpec spec(String agent) {
    return Json.parse(
            """
            {"model": "builtin:shapes", "data": {"dataset": "builtin:shapes", "max_images": 256},
             "target": {"name": "bismo-edge"}, "budget": {"resource": "LATENCY", "ratio": 0.6},
             "episodes": 10000, "agent": "%s"}
            """
                .formatted(agent),
            SessionSpec.newBuilder())
        .build();
  }

  private Session created(SessionSpec spec) {
    return client.createSession(CreateSessionRequest.newBuilder().setSpec(spec).build());
  }

  private Session await(Session session, Predicate<Session> wanted) throws InterruptedException {
    Session now = client.session(session.getId());
    while (!wanted.test(now)) {
      TimeUnit.MILLISECONDS.sleep(20);
      now = client.session(session.getId());
    }
    return now;
  }
}
