package dev.haq.rpc;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import io.vertx.core.http.HttpServer;
import java.net.BindException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How every server here starts to listen. */
public final class Listening {
  private static final Logger LOG = LoggerFactory.getLogger(Listening.class);

  private Listening() {}

  /**
   * Returns once the server listens. To be called from a plain thread.
   *
   * @param name of what is served, for people
   * @throws HaqException when the port is taken or the address is not one
   */
  public static HttpServer start(HttpServer server, String name, String host, int port) {
    try {
      server.listen().await();
    } catch (Throwable e) {
      // Future.await rethrows checked failures, such as BindException, undeclared.
      String why =
          e instanceof BindException
              ? "another program uses it, or it is not this machine's; choose another port"
              : String.valueOf(e.getMessage());
      throw new HaqException(
          Reason.INVALID_ARGUMENT,
          "%s cannot listen on %s:%d: %s".formatted(name, host, port, why),
          e);
    }
    LOG.info("{} listens on {}:{}", name, host, server.actualPort());
    return server;
  }
}
