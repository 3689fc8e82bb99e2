package dev.haq.agent;

import static dev.haq.agent.TestClient.findings;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.proto.agent.v1.CancelSessionRequest;
import dev.haq.proto.agent.v1.CreateSessionRequest;
import dev.haq.proto.agent.v1.Episode;
import dev.haq.proto.agent.v1.PauseSessionRequest;
import dev.haq.proto.agent.v1.ResumeSessionRequest;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionEvent;
import dev.haq.proto.agent.v1.SessionState;
import dev.haq.rpc.ServiceRuntime;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two agents, one of them a process that dies, share the sessions in a PostgreSQL database. */
final class SharedStoreTest {
  private static final int EPISODES = 40;

  @TempDir static Path directory;
  private static EmbeddedPostgres database;
  private static ServiceRuntime runtime;
  private static FakeSimulator simulator;
  private static FakeQuantizer quantizer;
  private static AgentService other;
  private static TestClient otherClient;

  private AgentProcess mortal;
  private TestClient mortalClient;

  @BeforeAll
  static void start() throws IOException {
    database = PostgresServer.start();
    runtime = ServiceRuntime.create();
    simulator = new FakeSimulator(runtime);
    quantizer = new FakeQuantizer(runtime);
    other =
        AgentService.start(
            runtime,
            AgentSettings.defaults()
                .withAddress("127.0.0.1", 0)
                .withStore(store())
                .withTargets(simulator.target(), quantizer.target()));
    otherClient = new TestClient(other.port());
  }

  private static String store() {
    return database.getJdbcUrl("postgres", "postgres");
  }

  @AfterAll
  static void stop() throws IOException {
    otherClient.close();
    other.close();
    quantizer.close();
    simulator.close();
    runtime.close();
    database.close();
  }

  @BeforeEach
  void startProcess() throws IOException {
    quantizer.holdNothing();
    mortal = AgentProcess.start(directory, store(), simulator.target(), quantizer.target());
    mortalClient = new TestClient(mortal.port());
  }

  @AfterEach
  void stopProcess() {
    mortalClient.close();
    mortal.close();
  }

  /** Of the two the one that creates a session runs it, having a free place. */
  private String createOnMortal() {
    return mortalClient
        .stub()
        .withWaitForReady()
        .createSession(CreateSessionRequest.newBuilder().setSpec(TestClient.spec(EPISODES)).build())
        .getId();
  }

  @Test
  void whenAnAgentIsKilledAnotherCarriesOnToTheSameResult() throws InterruptedException {
    quantizer.hold();
    String id = createOnMortal();
    quantizer.permit(8);
    otherClient.awaitEpisodes(id, 8);
    quantizer.awaitHeld();
    mortal.kill(); // while the ninth episode waits for the quantizer

    quantizer.permit(1_000);
    List<SessionEvent> events = otherClient.watch(id, 0);
    assertEquals(
        IntStream.rangeClosed(1, EPISODES).boxed().toList(), TestClient.episodeNumbers(events));
    Session session = otherClient.get(id);
    assertEquals(SessionState.SUCCEEDED, session.getState(), session.getError());
    List<Episode> episodes = otherClient.episodes(id);

    String undisturbed = otherClient.create(TestClient.spec(EPISODES)).getId();
    Session whole = otherClient.awaitEnd(undisturbed);
    assertEquals(findings(otherClient.episodes(undisturbed)), findings(episodes));
    assertEquals(TestClient.finding(whole.getBest()), TestClient.finding(session.getBest()));
  }

  @Test
  void whatIsAskedOfOneAgentIsDoneByTheOneThatRunsTheSession() {
    quantizer.hold();
    String id = createOnMortal();
    quantizer.permit(4);
    mortalClient.awaitEpisodes(id, 4);
    quantizer.awaitHeld();
    Session pausing =
        otherClient.stub().pauseSession(PauseSessionRequest.newBuilder().setId(id).build());
    assertTrue(pausing.getPauseRequested());
    quantizer.permit(1);
    assertEquals(5, otherClient.await(id, SessionState.PAUSED).getEpisodesDone());

    otherClient.stub().resumeSession(ResumeSessionRequest.newBuilder().setId(id).build());
    quantizer.permit(3);
    mortalClient.awaitEpisodes(id, 8);
    quantizer.awaitHeld();
    mortalClient.stub().cancelSession(CancelSessionRequest.newBuilder().setId(id).build());
    assertEquals(8, otherClient.await(id, SessionState.CANCELLED).getEpisodesDone());
    assertEquals(8, mortalClient.await(id, SessionState.CANCELLED).getEpisodesDone());
  }
}
