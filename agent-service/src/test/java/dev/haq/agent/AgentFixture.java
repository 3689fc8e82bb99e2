package dev.haq.agent;

import dev.haq.rpc.ServiceRuntime;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * An agent that keeps sessions in memory, with fake services behind and a client in front: one a
 * test, or one a class where the field is static.
 */
final class AgentFixture
    implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback, AfterAllCallback {
  private boolean shared;
  private ServiceRuntime runtime;
  private FakeSimulator simulator;
  private FakeQuantizer quantizer;
  private AgentService service;
  private TestClient client;

  FakeQuantizer quantizer() {
    return quantizer;
  }

  TestClient client() {
    return client;
  }

  /** What the agent says of itself at {@code /metrics}. */
  String metrics() {
    return runtime.metrics().scrape();
  }

  private void start() {
    runtime = ServiceRuntime.create();
    simulator = new FakeSimulator(runtime);
    quantizer = new FakeQuantizer(runtime);
    service =
        AgentService.start(
            runtime,
            AgentSettings.defaults()
                .withAddress("127.0.0.1", 0)
                .withStore("memory")
                .withTargets(simulator.target(), quantizer.target()));
    client = new TestClient(service.port());
  }

  private void stop() {
    client.close();
    service.close();
    quantizer.close();
    simulator.close();
    runtime.close();
  }

  /** Called for a static field alone. */
  @Override
  public void beforeAll(ExtensionContext context) {
    shared = true;
    start();
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    if (!shared) {
      start();
    }
  }

  @Override
  public void afterEach(ExtensionContext context) {
    if (!shared) {
      stop();
    }
  }

  @Override
  public void afterAll(ExtensionContext context) {
    stop();
  }
}
