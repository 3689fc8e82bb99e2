package dev.haq.rpc;

import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.Http2Settings;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.grpc.server.GrpcProtocol;
import io.vertx.grpc.server.GrpcServer;
import io.vertx.grpc.server.GrpcServerOptions;
import java.time.Duration;
import java.util.EnumSet;
import java.util.concurrent.TimeUnit;

/**
 * How every port of gRPC here is served: to HTTP/2 alone, which a browser speaks to no port without
 * TLS, so that no page reaches it; and without keeping connections of callers that are gone.
 */
public final class GrpcPort {
  /** How long a caller may give no sign of life. */
  public static final Duration SILENCE = Duration.ofMinutes(2);

  private static final long MAX_CONCURRENT_STREAMS = 10_000;

  /** Signs of life that are asked for within the longest silence. */
  private static final int PINGS = 3;

  private GrpcPort() {}

  /** A server of gRPC itself. */
  public static GrpcServer grpc(Vertx vertx, long maxMessageBytes) {
    GrpcServerOptions options =
        new GrpcServerOptions()
            .setMaxMessageSize(maxMessageBytes)
            .setScheduleDeadlineAutomatically(true)
            .setDeadlinePropagation(true);
    // gRPC-Web answers over HTTP/1.1, so to any page that finds the port.
    EnumSet.complementOf(EnumSet.of(GrpcProtocol.HTTP_2)).forEach(options::removeEnabledProtocol);
    return GrpcServer.server(vertx, options);
  }

  /**
   * The HTTP server to run it on; not listening yet.
   *
   * @param port 1..65535, or 0 for any free port
   * @param silence how long a caller may give no sign of life: longer than a call may take without
   *     one, for callers are asked for one meanwhile
   */
  public static HttpServer http(Vertx vertx, String host, int port, Duration silence) {
    HttpServerOptions options =
        new HttpServerOptions()
            .setHost(host)
            .setPort(port)
            .setReadIdleTimeout((int) silence.toMillis())
            .setIdleTimeoutUnit(TimeUnit.MILLISECONDS)
            // A caller has one connection to a replica; its open streams, each a watch, must not
            // block its calls.
            .setInitialSettings(
                new Http2Settings().setMaxConcurrentStreams(MAX_CONCURRENT_STREAMS));
    return vertx
        .createHttpServer(options)
        .connectionHandler(connection -> askForLife(vertx, connection, silence));
  }

  /** A caller that waits for a long answer sends nothing but what it is asked for. */
  private static void askForLife(Vertx vertx, HttpConnection connection, Duration silence) {
    boolean http2 = connection.getWindowSize() >= 0;
    if (!http2) {
      return;
    }
    long timer =
        vertx.setPeriodic(
            silence.toMillis() / PINGS, id -> connection.ping(Buffer.buffer(new byte[Long.BYTES])));
    connection.closeHandler(v -> vertx.cancelTimer(timer));
  }
}
