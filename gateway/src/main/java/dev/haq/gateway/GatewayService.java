package dev.haq.gateway;

import dev.haq.gateway.http.Backend;
import dev.haq.gateway.http.Backends;
import dev.haq.gateway.http.GatewayRouter;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.rpc.ServiceProcess;
import dev.haq.rpc.ServiceRuntime;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import java.net.BindException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The gateway as a running service: one HTTP port, and connections to the services behind it. */
public final class GatewayService implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(GatewayService.class);
  private static final long GRACE_SECONDS = 10;

  private final HttpServer server;
  private final GatewayRouter router;
  private final Backends backends;

  private GatewayService(HttpServer server, GatewayRouter router, Backends backends) {
    this.server = server;
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
   * it need not run yet: until they do, {@code /readyz} says which are missing.
   *
   * @throws HaqException when the port is taken or an address is not one
   */
  public static GatewayService start(ServiceRuntime runtime, GatewaySettings settings) {
    Backends backends =
        Backends.open(
            Backend.address("agent", settings.agentTarget()),
            Backend.address("hardware simulator", settings.hwsimTarget()),
            Backend.address("quantizer", settings.quantizerTarget()),
            settings.deadlines().read());
    GatewayRouter router = new GatewayRouter(runtime, settings, backends);
    HttpServer server =
        runtime
            .vertx()
            .createHttpServer(
                new HttpServerOptions()
                    .setHost(settings.host())
                    .setPort(settings.port())
                    // An upload under way must not be switched to HTTP/2, which some clients ask
                    // for.
                    .setHttp2ClearTextEnabled(false))
            .requestHandler(router.handler());
    try {
      server.listen().await();
    } catch (Throwable e) {
      // Future.await rethrows checked failures, such as BindException, undeclared.
      backends.close();
      throw cannotListen(settings, e);
    }
    LOG.info("gateway listens on {}:{}", settings.host(), server.actualPort());
    return new GatewayService(server, router, backends);
  }

  /** The port it listens on. */
  public int port() {
    return server.actualPort();
  }

  /**
   * Stops gracefully: reports not ready, ends event streams so that their readers connect to
   * another replica, and lets calls under way finish for up to ten seconds. To be called from a
   * plain thread.
   */
  @Override
  public void close() {
    router.stop();
    server.shutdown(GRACE_SECONDS, TimeUnit.SECONDS).await();
    backends.close();
    LOG.info("gateway stopped");
  }

  private static HaqException cannotListen(GatewaySettings settings, Throwable cause) {
    String why =
        cause instanceof BindException
            ? "another program uses it, or it is not this machine's; choose another port"
            : String.valueOf(cause.getMessage());
    return new HaqException(
        Reason.INVALID_ARGUMENT,
        "gateway cannot listen on %s:%d: %s".formatted(settings.host(), settings.port(), why),
        cause);
  }
}
