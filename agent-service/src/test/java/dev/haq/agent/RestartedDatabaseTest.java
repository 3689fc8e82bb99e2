package dev.haq.agent;

import static dev.haq.agent.TestClient.findings;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.haq.model.Reason;
import dev.haq.proto.agent.v1.Episode;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionState;
import dev.haq.rpc.ServiceRuntime;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The PostgreSQL server behind an agent goes away and comes back. */
final class RestartedDatabaseTest {
  private static final int EPISODES = 20;

  @TempDir static Path directory;
  private static EmbeddedPostgres database;
  private static ServiceRuntime runtime;
  private static FakeSimulator simulator;
  private static FakeQuantizer quantizer;
  private static AgentService agent;
  private static TestClient client;

  @BeforeAll
  static void start() throws IOException {
    startDatabase(0);
    runtime = ServiceRuntime.create();
    simulator = new FakeSimulator(runtime);
    quantizer = new FakeQuantizer(runtime);
    agent =
        AgentService.start(
            runtime,
            AgentSettings.defaults()
                .withAddress("127.0.0.1", 0)
                .withStore(database.getJdbcUrl("postgres", "postgres"))
                .withTargets(simulator.target(), quantizer.target()));
    client = new TestClient(agent.port());
  }

  private static void startDatabase(int port) throws IOException {
    database =
        PostgresServer.builder()
            .setDataDirectory(directory.resolve("database"))
            .setCleanDataDirectory(false)
            .setPort(port)
            .start();
  }

  @AfterAll
  static void stop() throws IOException {
    client.close();
    agent.close();
    quantizer.close();
    simulator.close();
    runtime.close();
    database.close();
  }

  @BeforeEach
  void holdNothing() {
    quantizer.holdNothing();
  }

  @Test
  void aRunningSessionGoesOnAndLosesNoEpisode() throws IOException {
    quantizer.hold();
    String id = client.create(TestClient.spec(EPISODES)).getId();
    quantizer.permit(8);
    client.awaitEpisodes(id, 8);
    quantizer.awaitHeld();
    int port = database.getPort();
    database.close();
    TestClient.refused(Reason.UNAVAILABLE, () -> client.get(id));

    int evaluated = quantizer.evaluations();
    quantizer.permit(1_000); // the ninth episode has to be stored while nobody stores it
    startDatabase(port);
    Session session = client.awaitEnd(id);
    assertEquals(SessionState.SUCCEEDED, session.getState(), session.getError());
    List<Episode> episodes = client.episodes(id);
    assertEquals(
        IntStream.rangeClosed(1, EPISODES).boxed().toList(),
        episodes.stream().map(Episode::getNumber).toList());
    assertEquals(EPISODES - 9, quantizer.evaluations() - evaluated, "no policy is judged twice");

    String undisturbed = client.create(TestClient.spec(EPISODES)).getId();
    client.awaitEnd(undisturbed);
    assertEquals(findings(client.episodes(undisturbed)), findings(episodes));
  }

  @Test
  void nobodyIsRefusedOnceItIsBack() throws IOException {
    String id = client.create(TestClient.spec(1)).getId();
    client.awaitEnd(id);
    int port = database.getPort();
    database.close();
    TestClient.refused(Reason.UNAVAILABLE, () -> client.get(id));
    startDatabase(port);
    for (int i = 0; i < 20; i++) {
      assertEquals(SessionState.SUCCEEDED, client.get(id).getState());
    }
  }
}
