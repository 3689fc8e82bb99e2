package dev.haq.rpc;

import com.google.protobuf.Descriptors.ServiceDescriptor;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.grpc.common.ServiceName;
import io.vertx.grpc.health.handler.GrpcHealthCheckV1Handler;
import io.vertx.grpc.health.handler.GrpcHealthListV1Handler;
import io.vertx.grpc.health.handler.GrpcHealthWatchV1Handler;
import io.vertx.grpc.health.v1.HealthCheckRequest;
import io.vertx.grpc.health.v1.HealthCheckResponse;
import io.vertx.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.vertx.grpc.health.v1.HealthProto;
import io.vertx.grpc.server.GrpcServer;
import io.vertx.grpc.server.GrpcServerRequest;
import io.vertx.grpc.server.GrpcServerResponse;
import io.vertx.grpc.server.Service;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * {@code grpc.health.v1.Health}: Vert.x's, with a watch of our own. Vert.x (5.0.7) keeps watchers
 * that have left for ever, fails at each of them every few seconds, and then tells the others
 * nothing any more.
 */
public final class Health implements Service {
  /** A watcher learns of a change after this time at most. */
  private static final long LOOK_MILLIS = 1000;

  private final Vertx vertx;
  private final Map<String, Supplier<Future<Boolean>>> checks = new ConcurrentHashMap<>();

  public Health(Vertx vertx) {
    this.vertx = vertx;
    register(name().fullyQualifiedName(), () -> Future.succeededFuture(true));
  }

  /**
   * @param service its full name; empty for the whole server
   * @param serves whether it takes calls now
   */
  public void register(String service, Supplier<Future<Boolean>> serves) {
    checks.put(service, serves);
  }

  @Override
  public ServiceName name() {
    return ServiceName.create("grpc.health.v1.Health");
  }

  @Override
  public ServiceDescriptor descriptor() {
    return HealthProto.getDescriptor().findServiceByName("Health");
  }

  @Override
  public void bind(GrpcServer server) {
    server.callHandler(
        GrpcHealthCheckV1Handler.SERVICE_METHOD, new GrpcHealthCheckV1Handler(server, checks));
    server.callHandler(
        GrpcHealthListV1Handler.SERVICE_METHOD, new GrpcHealthListV1Handler(server, checks));
    server.callHandler(
        GrpcHealthWatchV1Handler.SERVICE_METHOD,
        request -> request.handler(wanted -> new Watch(request, wanted.getService()).start()));
  }

  /** One watcher; touched on its call's event loop alone. */
  private final class Watch {
    private final GrpcServerRequest<HealthCheckRequest, HealthCheckResponse> request;
    private final GrpcServerResponse<HealthCheckRequest, HealthCheckResponse> response;
    private final String service;
    private final Context context = vertx.getOrCreateContext();
    private final long timer;
    private ServingStatus told = ServingStatus.UNKNOWN;
    private boolean over;

    Watch(GrpcServerRequest<HealthCheckRequest, HealthCheckResponse> request, String service) {
      this.request = request;
      this.response = request.response();
      this.service = service;
      this.timer = vertx.setPeriodic(LOOK_MILLIS, id -> look());
    }

    void start() {
      // A reset comes as an error, a connection that is gone as an exception.
      request.errorHandler(e -> leave());
      request.exceptionHandler(e -> leave());
      response.exceptionHandler(e -> leave());
      if (request.timeout() > 0) {
        vertx.setTimer(request.timeout(), id -> leave()); // the library ends the call
      }
      look();
    }

    private void leave() {
      over = true;
      vertx.cancelTimer(timer);
    }

    private void look() {
      Supplier<Future<Boolean>> check = checks.get(service);
      if (check == null) {
        tell(ServingStatus.SERVICE_UNKNOWN); // it may be registered later
        return;
      }
      check
          .get()
          .onComplete(
              serves -> later(serves ? ServingStatus.SERVING : ServingStatus.NOT_SERVING),
              failure -> later(ServingStatus.NOT_SERVING));
    }

    /** A check may answer on any thread. */
    private void later(ServingStatus status) {
      context.runOnContext(v -> tell(status));
    }

    private void tell(ServingStatus status) {
      if (!over && status != told) {
        told = status;
        response.write(HealthCheckResponse.newBuilder().setStatus(status).build());
      }
    }
  }
}
