package dev.haq.rpc;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.MethodDescriptor;
import io.grpc.NameResolverRegistry;
import io.grpc.netty.NettyChannelBuilder;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A connection to all replicas of a service: calls go round robin over those that report themselves
 * healthy, and are retried on another when one is gone, reads even when their answer had begun
 * ({@link BrokenAnswers}).
 */
public final class RpcChannel implements AutoCloseable {
  private static final int MAX_ATTEMPTS = 5;

  /**
   * Requests kept for another attempt until their answers begin, of all calls under way together;
   * by default one above 1 MiB would have a single attempt. The answer to a stream of requests
   * begins when a service has taken it, before its first message.
   */
  private static final long RETRY_BUFFER_BYTES = RpcServer.DEFAULT_MAX_MESSAGE_BYTES;

  /**
   * A connection with calls under way is asked for a sign of life after so long without one, and
   * given up after as long again: a machine that is lost closes none.
   */
  private static final Duration KEEP_ALIVE = Duration.ofSeconds(30);

  private final ManagedChannel managed;
  private final Channel channel;

  private RpcChannel(ManagedChannel managed, Channel channel) {
    this.managed = managed;
    this.channel = channel;
  }

  /**
   * Connects lazily.
   *
   * @param target {@code host:port}, a comma-separated list of them, or {@code dns:///name:port} of
   *     a headless service; an address list and DNS are looked at again every few seconds, so that
   *     new replicas are found
   * @param deadline the most a call may take when it says nothing itself; streams have none
   */
  public static RpcChannel open(String target, Duration deadline) {
    // Not the registry's default: a replica list is a scheme of our own.
    NameResolverRegistry.getDefaultRegistry().register(ReplicaResolver.PROVIDER);
    ManagedChannelBuilder<?> builder =
        NettyChannelBuilder.forTarget(ReplicaResolver.uri(target))
            .usePlaintext()
            .defaultLoadBalancingPolicy("round_robin")
            .defaultServiceConfig(serviceConfig())
            .enableRetry()
            .keepAliveTime(KEEP_ALIVE.toSeconds(), TimeUnit.SECONDS)
            .keepAliveTimeout(KEEP_ALIVE.toSeconds(), TimeUnit.SECONDS)
            .perRpcBufferLimit(RETRY_BUFFER_BYTES)
            .retryBufferSize(RETRY_BUFFER_BYTES)
            .maxInboundMessageSize((int) RpcServer.DEFAULT_MAX_MESSAGE_BYTES);
    ManagedChannel managed = builder.build();
    return new RpcChannel(
        managed,
        ClientInterceptors.interceptForward(
            managed,
            new CallerContext(),
            withDeadline(deadline),
            new MissingCalls(),
            new BrokenAnswers(MAX_ATTEMPTS)));
  }

  /** For the generated stubs. */
  public Channel channel() {
    return channel;
  }

  /** Fails the calls under way, with UNAVAILABLE, and takes no more. */
  public void abandon() {
    managed.shutdownNow();
  }

  /** Waits up to five seconds for calls under way, then drops them. */
  @Override
  public void close() {
    managed.shutdown();
    try {
      if (!managed.awaitTermination(5, TimeUnit.SECONDS)) {
        managed.shutdownNow();
      }
    } catch (InterruptedException e) {
      managed.shutdownNow();
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Retries UNAVAILABLE alone: nothing was done, or the call is a read, or done twice it comes to
   * the same.
   */
  private static Map<String, Object> serviceConfig() {
    Map<String, Object> retry =
        Map.of(
            "maxAttempts",
            (double) MAX_ATTEMPTS,
            "initialBackoff",
            "0.1s",
            "maxBackoff",
            "2s",
            "backoffMultiplier",
            2.0,
            "retryableStatusCodes",
            List.of("UNAVAILABLE"));
    return Map.of(
        "healthCheckConfig",
        Map.of("serviceName", ""),
        "methodConfig",
        List.of(Map.of("name", List.of(Map.of()), "retryPolicy", retry)));
  }

  private static ClientInterceptor withDeadline(Duration deadline) {
    return new ClientInterceptor() {
      @Override
      public <Q, R> ClientCall<Q, R> interceptCall(
          MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
        boolean bounded =
            options.getDeadline() != null || !method.getType().serverSendsOneMessage();
        CallOptions effective =
            bounded
                ? options
                : options.withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS);
        return next.newCall(method, effective);
      }
    };
  }
}
