package dev.haq.gateway;

import dev.haq.gateway.backend.Backend;
import dev.haq.gateway.backend.Backends;
import dev.haq.gateway.grpc.PublicGrpc;
import dev.haq.gateway.http.GatewayRouter;
import dev.haq.model.HaqException;
import dev.haq.rpc.GrpcPort;
import dev.haq.rpc.Listening;
import dev.haq.rpc.ServiceProcess;
import dev.haq.rpc.ServiceRuntime;
import io.vertx.core.Future;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The gateway as a running service: an HTTP port, a gRPC port when that is enabled, and connections
 * to the services behind it.
 */
public final class GatewayService implements AutoCloseable {
  /** How long calls under way may take to finish once the gateway is told to stop. */
  public static final long GRACE_SECONDS = 10;

  /** What is kept of that to tell callers that their calls were given up. */
  private static final long LAST_WORD_SECONDS = 2;

  /** For people. */
  private static final String NAME = "gateway";

  private static final Logger LOG = LoggerFactory.getLogger(GatewayService.class);

  private final HttpServer http;
  private final Optional<HttpServer> grpc;
  private final GatewayRouter router;
  private final Backends backends;

  private GatewayService(
      HttpServer http, Optional<HttpServer> grpc, GatewayRouter router, Backends backends) {
    this.http = http;
    this.grpc = grpc;
    this.router = router;
    this.backends = backends;
  }

  /** {@code GatewayService [--config FILE]}: the gateway as a process of its own. */
  public static void main(String[] args) {
    ServiceProcess.run(
        args, GatewaySettings.class, GatewaySettings.RESOURCE, GatewayService::start);
  }

  /**
   * Starts listening; returns once it does. To be called from a plain thread. The services behind
   * it need not run yet: until they do, {@code /v1/services} says which are missing.
   *
   * @throws HaqException when the port is taken or an address is not one
   */
  public static GatewayService start(ServiceRuntime runtime, GatewaySettings settings) {
    Backends backends =
        Backends.open(
            Backend.address("agent", settings.agentTarget()),
            Backend.address("hwsim", settings.hwsimTarget()),
            Backend.address("quantizer", settings.quantizerTarget()),
            settings.deadlines().read());
    GatewayRouter router = new GatewayRouter(runtime, settings, backends);
    List<HttpServer> opened = new ArrayList<>();
    try {
      HttpServer http =
          Listening.start(
              runtime
                  .vertx()
                  .createHttpServer(
                      new HttpServerOptions()
                          .setHost(settings.host())
                          .setPort(settings.port())
                          // An upload under way must not be switched to HTTP/2, which some clients
                          // ask for.
                          .setHttp2ClearTextEnabled(false))
                  .connectionHandler(router.connections()::opened)
                  .requestHandler(router.handler()),
              NAME,
              settings.host(),
              settings.port());
      opened.add(http);
      Optional<HttpServer> grpc = publicGrpc(runtime, settings, backends, router);
      return new GatewayService(http, grpc, router, backends);
    } catch (RuntimeException e) {
      opened.forEach(server -> server.close().await());
      backends.close();
      throw e;
    }
  }

  private static Optional<HttpServer> publicGrpc(
      ServiceRuntime runtime, GatewaySettings settings, Backends backends, GatewayRouter router) {
    if (!settings.publicGrpc().enabled()) {
      return Optional.empty();
    }
    PublicGrpc api =
        new PublicGrpc(
            runtime.vertx(),
            settings.limits().jsonBytes(),
            settings.deadlines(),
            backends,
            router::serves);
    return Optional.of(
        Listening.start(
            GrpcPort.http(
                    runtime.vertx(),
                    settings.host(),
                    settings.publicGrpc().port(),
                    GrpcPort.SILENCE)
                .requestHandler(api.handler()),
            NAME,
            settings.host(),
            settings.publicGrpc().port()));
  }

  /** The port of REST, events and the page. */
  public int port() {
    return http.actualPort();
  }

  /** The port of the public gRPC API; empty when that is not enabled. */
  public OptionalInt grpcPort() {
    return grpc.map(server -> OptionalInt.of(server.actualPort())).orElse(OptionalInt.empty());
  }

  /**
   * Stops gracefully: reports not ready, ends event streams so that their readers connect to
   * another replica, and lets calls under way finish for up to eight seconds; then they are
   * answered with 503. To be called from a plain thread.
   */
  @Override
  public void close() {
    router.stop();
    List<Future<Void>> stopping = new ArrayList<>();
    stopping.add(http.shutdown(GRACE_SECONDS, TimeUnit.SECONDS));
    grpc.ifPresent(server -> stopping.add(server.shutdown(GRACE_SECONDS, TimeUnit.SECONDS)));
    Future<?> stopped = Future.join(stopping);
    try {
      stopped.await(GRACE_SECONDS - LAST_WORD_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      // Connections that close without an answer would leave their callers to guess.
      backends.abandon();
      stopped.await();
    }
    backends.close();
    LOG.info("gateway stopped");
  }
}
