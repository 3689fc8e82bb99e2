package dev.haq.rpc;

import com.google.protobuf.Descriptors.ServiceDescriptor;
import io.vertx.grpc.common.ServiceMethod;
import io.vertx.grpc.common.ServiceName;
import io.vertx.grpc.server.GrpcServerRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * The methods of one gRPC service, each bound to plain code that blocks if it likes: it runs on
 * worker threads, never on an event loop, and what it throws reaches the caller as a typed error.
 */
public final class RpcService {
  /** How one kind of call is served. */
  interface Binding {
    void bind(io.vertx.grpc.server.ServiceBuilder builder, RpcCalls calls);
  }

  private final ServiceName name;
  private final ServiceDescriptor descriptor;
  private final List<Binding> bindings = new ArrayList<>();

  private RpcService(ServiceName name, ServiceDescriptor descriptor) {
    this.name = name;
    this.descriptor = descriptor;
  }

  public static RpcService named(ServiceName name, ServiceDescriptor descriptor) {
    return new RpcService(name, descriptor);
  }

  /** One request, one answer. */
  public <Q, R> RpcService unary(ServiceMethod<Q, R> method, BiFunction<Q, Call, R> handler) {
    bindings.add(
        (builder, calls) ->
            builder.bind(method, (GrpcServerRequest<Q, R> r) -> calls.unary(r, handler)));
    return this;
  }

  /** A stream of requests, one answer. */
  public <Q, R> RpcService clientStream(
      ServiceMethod<Q, R> method, Function<Call, ClientStream<Q, R>> handler) {
    bindings.add(
        (builder, calls) ->
            builder.bind(method, (GrpcServerRequest<Q, R> r) -> calls.clientStream(r, handler)));
    return this;
  }

  /**
   * One request, a stream of answers; the handler returns once it has arranged for them to be sent.
   */
  public <Q, R> RpcService serverStream(
      ServiceMethod<Q, R> method, BiConsumer<Q, ResponseStream<R>> handler) {
    bindings.add(
        (builder, calls) ->
            builder.bind(method, (GrpcServerRequest<Q, R> r) -> calls.serverStream(r, handler)));
    return this;
  }

  String fullName() {
    return name.fullyQualifiedName();
  }

  io.vertx.grpc.server.Service build(RpcCalls calls) {
    io.vertx.grpc.server.ServiceBuilder builder =
        io.vertx.grpc.server.Service.service(name, descriptor);
    bindings.forEach(binding -> binding.bind(builder, calls));
    return builder.build();
  }
}
