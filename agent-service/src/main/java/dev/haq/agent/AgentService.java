package dev.haq.agent;

import dev.haq.agent.comparison.FrontPredictions;
import dev.haq.agent.comparison.SessionComparisons;
import dev.haq.agent.grpc.GrpcBackends;
import dev.haq.agent.grpc.SearchAgentHandler;
import dev.haq.agent.grpc.SpecWire;
import dev.haq.agent.session.SessionService;
import dev.haq.agent.session.SessionStore;
import dev.haq.agent.session.SessionTerms;
import dev.haq.agent.store.SqlSessionStore;
import dev.haq.model.HaqException;
import dev.haq.rpc.RpcChannel;
import dev.haq.rpc.RpcServer;
import dev.haq.rpc.ServiceProcess;
import dev.haq.rpc.ServiceRuntime;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;

/** The search agent as a running service on one port. */
public final class AgentService implements AutoCloseable {
  private final Deque<Part> parts;
  private final int port;

  private AgentService(Deque<Part> parts, int port) {
    this.parts = parts;
    this.port = port;
  }

  /** Something to close. */
  private interface Part {
    void close();
  }

  /** {@code AgentService [--config FILE]}: the search agent as a process of its own. */
  public static void main(String[] args) {
    ServiceProcess.run(args, AgentSettings.class, AgentSettings.RESOURCE, AgentService::start);
  }

  /**
   * Starts listening and carries on with the sessions that were left unfinished; returns once it
   * does. To be called from a plain thread.
   *
   * @throws HaqException when the port or the session store is taken
   */
  public static AgentService start(ServiceRuntime runtime, AgentSettings settings) {
    Deque<Part> parts = new ArrayDeque<>();
    try {
      SessionStore store = SqlSessionStore.open(settings.store().url());
      parts.push(store::close);
      RpcChannel hwsim = channel(settings.hwsim());
      parts.push(hwsim::close);
      RpcChannel quantizer = channel(settings.quantizer().peer());
      parts.push(quantizer::close);
      AgentMetrics metrics = new AgentMetrics(runtime.metrics());
      Duration patience = Duration.ofSeconds(settings.sessions().patienceSeconds());
      SpecWire specs = new SpecWire();
      GrpcBackends backends =
          new GrpcBackends(hwsim, quantizer, patience, settings.quantizer().shards());
      SessionComparisons comparisons = new SessionComparisons(store, specs, backends);
      SessionService sessions =
          new SessionService(
              store,
              specs,
              backends,
              metrics,
              new SessionTerms(
                  settings.sessions().maxRunning(),
                  Duration.ofSeconds(settings.sessions().leaseSeconds()),
                  patience));
      metrics.observe(sessions);
      parts.push(sessions::close);
      sessions.start();
      RpcServer server =
          RpcServer.builder(runtime, "agent")
              .host(settings.host())
              .port(settings.port())
              .service(
                  new SearchAgentHandler(sessions, comparisons, new FrontPredictions(backends))
                      .service())
              .start();
      // Sessions close first: the server waits for calls under way, and watches do not end by
      // themselves.
      parts.pop();
      parts.push(server::close);
      parts.push(sessions::close);
      return new AgentService(parts, server.port());
    } catch (RuntimeException e) {
      parts.forEach(Part::close);
      throw e;
    }
  }

  private static RpcChannel channel(AgentSettings.Peer peer) {
    return RpcChannel.open(peer.target(), Duration.ofSeconds(peer.deadlineSeconds()));
  }

  /** The port it listens on. */
  public int port() {
    return port;
  }

  /**
   * Drops the episodes under way, leaves sessions to be carried on with at the next start, and
   * stops gracefully. To be called from a plain thread.
   */
  @Override
  public void close() {
    parts.forEach(Part::close);
    parts.clear();
  }
}
