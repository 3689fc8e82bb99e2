package dev.haq.rpc;

import dev.haq.model.HaqException;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.grpc.reflection.ReflectionService;
import io.vertx.grpc.server.GrpcServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One port that serves gRPC services with health checks and reflection, and over plain HTTP {@code
 * GET /metrics} (Prometheus), {@code /healthz} (the process lives) and {@code /readyz} (it takes
 * calls).
 */
public final class RpcServer implements AutoCloseable {
  /**
   * Messages up to this size are taken unless said otherwise: a cost table of 10,000 layers fits.
   */
  public static final long DEFAULT_MAX_MESSAGE_BYTES = 64L << 20;

  /** How long calls under way may take to finish once the server is told to stop. */
  public static final long GRACE_SECONDS = 5;

  private static final Logger LOG = LoggerFactory.getLogger(RpcServer.class);
  private static final int MAX_WORKERS = 96;

  private final String name;
  private final HttpServer server;
  private final ExecutorService workers;
  private final HealthFlag ready;

  private RpcServer(String name, HttpServer server, ExecutorService workers, HealthFlag ready) {
    this.name = name;
    this.server = server;
    this.workers = workers;
    this.ready = ready;
  }

  public static Builder builder(ServiceRuntime runtime, String name) {
    return new Builder(runtime, name);
  }

  /** The port it listens on. */
  public int port() {
    return server.actualPort();
  }

  /**
   * Stops gracefully: reports not ready, takes no new connection, lets calls under way finish for
   * up to five seconds. To be called from a plain thread.
   */
  @Override
  public void close() {
    ready.set(false);
    server.shutdown(GRACE_SECONDS, TimeUnit.SECONDS).await();
    workers.shutdown();
    LOG.info("{} stopped", name);
  }

  /** Whether calls are taken. */
  private static final class HealthFlag {
    private volatile boolean ready = true;

    void set(boolean value) {
      ready = value;
    }

    Future<Boolean> get() {
      return Future.succeededFuture(ready);
    }
  }

  /** What a server is made of. */
  public static final class Builder {
    private final ServiceRuntime runtime;
    private final String name;
    private final List<RpcService> services = new ArrayList<>();
    private String host = "0.0.0.0";
    private int port;
    private long maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES;
    private Duration silence = GrpcPort.SILENCE;

    private Builder(ServiceRuntime runtime, String name) {
      this.runtime = runtime;
      this.name = name;
    }

    public Builder host(String value) {
      host = value;
      return this;
    }

    /** 1..65535, or 0 for any free port. */
    public Builder port(int value) {
      if (value < 0 || value > 65535) {
        throw HaqException.invalid("port %d is not between 0 and 65535", value);
      }
      port = value;
      return this;
    }

    public Builder maxMessageBytes(long value) {
      maxMessageBytes = value;
      return this;
    }

    /** How long a caller may give no sign of life; the time of a call does not matter. */
    Builder silence(Duration value) {
      silence = value;
      return this;
    }

    public Builder service(RpcService service) {
      services.add(service);
      return this;
    }

    /** Starts listening; returns once it does. To be called from a plain thread. */
    public RpcServer start() {
      HealthFlag ready = new HealthFlag();
      ExecutorService workers = Executors.newFixedThreadPool(MAX_WORKERS, daemonThreads(name));
      GrpcServer grpc = GrpcPort.grpc(runtime.vertx(), maxMessageBytes);
      Health health = new Health(runtime.vertx());
      health.register("", ready::get);
      RpcCalls calls = new RpcCalls(runtime.vertx(), workers, runtime.metrics());
      for (RpcService service : services) {
        grpc.addService(service.build(calls));
        health.register(service.fullName(), ready::get);
      }
      grpc.addService(health);
      grpc.addService(ReflectionService.v1());
      HttpServer server =
          GrpcPort.http(runtime.vertx(), host, port, silence).requestHandler(dispatch(grpc, ready));
      try {
        Listening.start(server, name, host, port);
      } catch (HaqException e) {
        workers.shutdown();
        throw e;
      }
      return new RpcServer(name, server, workers, ready);
    }

    private Handler<HttpServerRequest> dispatch(GrpcServer grpc, HealthFlag ready) {
      return request -> {
        String contentType = request.getHeader("content-type");
        if (contentType != null && contentType.startsWith("application/grpc")) {
          grpc.handle(request);
        } else if (!HttpMethod.GET.equals(request.method())) {
          request.response().setStatusCode(405).end();
        } else {
          switch (request.path()) {
            case "/metrics" ->
                request
                    .routed("/metrics")
                    .response()
                    .putHeader("content-type", "text/plain; version=0.0.4; charset=utf-8")
                    .end(runtime.metrics().scrape());
            case "/healthz" -> request.routed("/healthz").response().end("ok\n");
            case "/readyz" -> {
              boolean isReady = ready.get().result();
              request
                  .routed("/readyz")
                  .response()
                  .setStatusCode(isReady ? 200 : 503)
                  .end(isReady ? "ready\n" : "stopping\n");
            }
            default -> request.response().setStatusCode(404).end();
          }
        }
      };
    }

    private static java.util.concurrent.ThreadFactory daemonThreads(String name) {
      AtomicInteger next = new AtomicInteger();
      return work -> {
        Thread thread = new Thread(work, name + "-worker-" + next.incrementAndGet());
        thread.setDaemon(true);
        return thread;
      };
    }
  }
}
