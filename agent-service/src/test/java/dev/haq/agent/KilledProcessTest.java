package dev.haq.agent;

import static dev.haq.agent.TestClient.findings;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.proto.agent.v1.CreateSessionRequest;
import dev.haq.proto.agent.v1.Episode;
import dev.haq.proto.agent.v1.GetSessionRequest;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionEvent;
import dev.haq.proto.agent.v1.SessionSpec;
import dev.haq.proto.agent.v1.SessionState;
import dev.haq.rpc.ServiceRuntime;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The agent as a process of its own that is killed, as by {@code kill -9}, and started again. */
final class KilledProcessTest {
  private static final int EPISODES = 40;

  @TempDir Path directory;
  private ServiceRuntime runtime;
  private FakeSimulator simulator;
  private FakeQuantizer quantizer;
  private AgentProcess process;

  @BeforeEach
  void start() {
    runtime = ServiceRuntime.create();
    simulator = new FakeSimulator(runtime);
    quantizer = new FakeQuantizer(runtime);
  }

  @AfterEach
  void stop() {
    if (process != null) {
      process.close();
    }
    quantizer.close();
    simulator.close();
    runtime.close();
  }

  @Test
  void aSessionWhoseProcessIsKilledComesToTheResultOfAnUndisturbedOne() throws Exception {
    String store = "jdbc:h2:file:" + directory.resolve("sessions");
    quantizer.hold();
    String id;
    int port = startProcess(store);
    try (TestClient client = new TestClient(port)) {
      id = create(client, TestClient.spec(EPISODES)).getId();
      quantizer.permit(8);
      client.awaitEpisodes(id, 8);
    }
    process.kill(); // while the ninth episode waits for the quantizer

    port = startProcess(store);
    quantizer.permit(1_000);
    try (TestClient client = new TestClient(port)) {
      awaitUp(client, id);
      client.awaitEpisodes(id, 20);
    }
    process.kill(); // at any moment, perhaps in the middle of storing

    AgentSettings settings =
        AgentSettings.defaults()
            .withAddress("127.0.0.1", 0)
            .withStore(store)
            .withTargets(simulator.target(), quantizer.target());
    try (AgentService service = AgentService.start(runtime, settings);
        TestClient client = new TestClient(service.port())) {
      Session session = client.awaitEnd(id);
      assertEquals(SessionState.SUCCEEDED, session.getState(), session.getError());
      List<Episode> episodes = client.episodes(id);
      assertEquals(
          IntStream.rangeClosed(1, EPISODES).boxed().toList(),
          episodes.stream().map(Episode::getNumber).toList());

      String undisturbed = client.create(TestClient.spec(EPISODES)).getId();
      Session other = client.awaitEnd(undisturbed);
      assertEquals(findings(client.episodes(undisturbed)), findings(episodes));
      assertEquals(TestClient.finding(other.getBest()), TestClient.finding(session.getBest()));
    }
  }

  @Test
  void fineTuningWhoseProcessIsKilledGoesOnFromItsLastEpochToTheSameModel() throws Exception {
    String store = "jdbc:h2:file:" + directory.resolve("tuned");
    SessionSpec.Builder spec = FinalFineTuningTest.tuned(3, 4);
    quantizer.holdEpochs();
    String id;
    int port = startProcess(store);
    try (TestClient client = new TestClient(port)) {
      id = create(client, spec).getId();
      quantizer.permitEpochs(2);
      client.watchUntil(id, 3, SessionEvent::hasTuning);
      quantizer.awaitEpochHeld();
    }
    process.kill(); // in the third epoch

    AgentSettings settings =
        AgentSettings.defaults()
            .withAddress("127.0.0.1", 0)
            .withStore(store)
            .withTargets(simulator.target(), quantizer.target());
    quantizer.permitEpochs(1_000);
    try (AgentService service = AgentService.start(runtime, settings);
        TestClient client = new TestClient(service.port())) {
      Session session = client.awaitEnd(id);
      assertEquals(SessionState.SUCCEEDED, session.getState(), session.getError());
      assertEquals(4, quantizer.epochs(), "no epoch is trained twice");
      Session other = client.awaitEnd(client.create(spec).getId());
      assertEquals(other.getTuned(), session.getTuned());
    }
  }

  @Test
  void aStoreInUseIsRefusedInOneLineWithExitStatusTwo() throws Exception {
    Path database = directory.resolve("busy");
    String store = "jdbc:h2:file:" + database;
    AgentSettings settings =
        AgentSettings.defaults()
            .withAddress("127.0.0.1", 0)
            .withStore(store)
            .withTargets(simulator.target(), quantizer.target());
    try (AgentService service = AgentService.start(runtime, settings)) {
      assertTrue(service.port() > 0);
      startProcess(store);
      assertEquals(2, process.exit());
      String output = process.output();
      assertTrue(output.contains("in use by another process"), output);
      assertFalse(output.contains("\tat "), output);
    }
  }

  /** Waits for the process to listen. */
  private static Session create(TestClient client, SessionSpec.Builder spec) {
    return client
        .stub()
        .withWaitForReady()
        .createSession(CreateSessionRequest.newBuilder().setSpec(spec).build());
  }

  private static void awaitUp(TestClient client, String id) {
    Session session =
        client
            .stub()
            .withWaitForReady()
            .getSession(GetSessionRequest.newBuilder().setId(id).build());
    assertEquals(id, session.getId());
  }

  private int startProcess(String store) throws IOException {
    process = AgentProcess.start(directory, store, simulator.target(), quantizer.target());
    return process.port();
  }
}
