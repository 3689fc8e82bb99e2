package dev.haq.gateway.grpc;

import dev.haq.gateway.GatewaySettings;
import dev.haq.gateway.backend.Backend;
import dev.haq.gateway.backend.Backends;
import dev.haq.proto.agent.v1.SearchAgentGrpc;
import dev.haq.proto.agent.v1.SearchAgentGrpcService;
import dev.haq.proto.hwsim.v1.HardwareSimulatorGrpc;
import dev.haq.proto.hwsim.v1.HardwareSimulatorGrpcService;
import dev.haq.proto.quantizer.v1.QuantizerGrpc;
import dev.haq.proto.quantizer.v1.QuantizerGrpcService;
import dev.haq.rpc.GrpcPort;
import dev.haq.rpc.Health;
import io.grpc.MethodDescriptor;
import io.grpc.ServiceDescriptor;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.grpc.common.GrpcStatus;
import io.vertx.grpc.common.ServiceName;
import io.vertx.grpc.reflection.ReflectionService;
import io.vertx.grpc.server.GrpcServer;
import io.vertx.grpc.server.GrpcServerRequest;
import io.vertx.grpc.server.Service;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;

/**
 * The public gRPC API: {@code SearchAgent}, {@code HardwareSimulator} and {@code Quantizer} as
 * their services serve them, with reflection, and a health status for each.
 */
public final class PublicGrpc {
  private final GrpcServer server;
  private final Health health;
  private final Function<Backend, Future<Boolean>> serving;
  private final Map<String, Forwarding.Route> routes = new HashMap<>();
  private final MessageRoom room;

  /**
   * @param largest message of a caller, in bytes
   * @param serving whether a service takes calls now
   */
  public PublicGrpc(
      Vertx vertx,
      long largest,
      GatewaySettings.Deadlines deadlines,
      Backends backends,
      Function<Backend, Future<Boolean>> serving) {
    this.serving = serving;
    this.server = GrpcPort.grpc(vertx, largest);
    this.room = new MessageRoom(largest);
    this.health = new Health(vertx);
    add(
        backends.agent(),
        deadlines.session(),
        deadlines.upload(),
        SearchAgentGrpc.getServiceDescriptor(),
        SearchAgentGrpcService.SERVICE_NAME,
        SearchAgentGrpcService.SERVICE_DESCRIPTOR);
    add(
        backends.hwsim(),
        deadlines.simulate(),
        deadlines.upload(),
        HardwareSimulatorGrpc.getServiceDescriptor(),
        HardwareSimulatorGrpcService.SERVICE_NAME,
        HardwareSimulatorGrpcService.SERVICE_DESCRIPTOR);
    add(
        backends.quantizer(),
        deadlines.evaluate(),
        deadlines.upload(),
        QuantizerGrpc.getServiceDescriptor(),
        QuantizerGrpcService.SERVICE_NAME,
        QuantizerGrpcService.SERVICE_DESCRIPTOR);
    health.register("", () -> allServe(backends));
    server.addService(health);
    server.addService(ReflectionService.v1());
    server.callHandler(this::forward);
  }

  public Handler<HttpServerRequest> handler() {
    return server;
  }

  private void add(
      Backend backend,
      Duration deadline,
      Duration uploadDeadline,
      ServiceDescriptor methods,
      ServiceName name,
      com.google.protobuf.Descriptors.ServiceDescriptor descriptor) {
    for (MethodDescriptor<?, ?> method : methods.getMethods()) {
      Duration most = method.getType().clientSendsOneMessage() ? deadline : uploadDeadline;
      routes.put(
          method.getFullMethodName(),
          new Forwarding.Route(
              backend, method.toBuilder(Bytes.INSTANCE, Bytes.INSTANCE).build(), most));
    }
    // Without methods of its own: reflection lists the service, calls fall through to forward().
    server.addService(Service.service(name, descriptor).build());
    health.register(name.fullyQualifiedName(), () -> serving.apply(backend));
  }

  private void forward(GrpcServerRequest<Buffer, Buffer> request) {
    Forwarding.Route route = routes.get(request.fullMethodName());
    if (route == null) {
      request
          .response()
          .status(GrpcStatus.UNIMPLEMENTED)
          .statusMessage("there is no method " + request.fullMethodName())
          .end();
      return;
    }
    Forwarding.start(route, room, request);
  }

  private Future<Boolean> allServe(Backends backends) {
    return Future.all(backends.all().stream().map(serving).toList())
        .map(all -> all.<Boolean>list().stream().allMatch(Boolean::booleanValue));
  }

  /** Messages as they are on the wire. */
  private enum Bytes implements MethodDescriptor.Marshaller<byte[]> {
    INSTANCE;

    @Override
    public InputStream stream(byte[] message) {
      return new ByteArrayInputStream(message);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try {
        return stream.readAllBytes();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
