package dev.haq.agent;

import dev.haq.rpc.ServiceRuntime;
import java.util.function.Supplier;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * An agent, with fake services behind and a client in front: one a test, or one a class where the
 * field is static.
 */
final class AgentFixture
    implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback, AfterAllCallback {
  private final Supplier<String> store;
  private boolean shared;
  private ServiceRuntime runtime;
  private FakeSimulator simulator;
  private FakeQuantizer quantizer;
  private AgentService service;
  private TestClient client;

  /** Keeps sessions in memory. */
  AgentFixture() {
    this(() -> "memory");
  }

  /**
   * @param store where sessions are kept, a JDBC URL; asked for once the test's own folder is there
   */
  AgentFixture(Supplier<String> store) {
    this.store = store;
  }

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
    open();
  }

  /** Starts the agent again after {@link #close}; what is kept in memory is gone. */
  void open() {
    open(AgentSettings.defaults());
  }

  /** The same with sessions that do not wait for a service that is away. */
  void openWithoutPatience() {
    AgentSettings defaults = AgentSettings.defaults();
    AgentSettings.Sessions sessions = defaults.sessions();
    open(
        defaults.withSessions(
            new AgentSettings.Sessions(sessions.maxRunning(), 0, sessions.leaseSeconds())));
  }

  private void open(AgentSettings settings) {
    service =
        AgentService.start(
            runtime,
            settings
                .withAddress("127.0.0.1", 0)
                .withStore(store.get())
                .withTargets(simulator.target(), quantizer.target()));
    client = new TestClient(service.port());
  }

  /** Ends the agent with whatever it has under way; the services behind it stay. */
  void close() {
    client.close();
    service.close();
  }

  private void stop() {
    close();
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
    if (shared) {
      quantizer.holdNothing();
    } else {
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
