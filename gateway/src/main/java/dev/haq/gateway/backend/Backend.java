package dev.haq.gateway.backend;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.rpc.RpcChannel;
import dev.haq.rpc.RpcErrors;
import io.grpc.Channel;
import java.time.Duration;

/** One service behind the gateway, all its replicas together. */
public final class Backend implements AutoCloseable {
  /**
   * Where a service is.
   *
   * @param name for people: "agent"
   * @param target as {@link RpcChannel#open} takes it
   */
  public record Address(String name, String target) {}

  private final String name;
  private final RpcChannel rpc;
  private volatile boolean abandoned;

  private Backend(String name, RpcChannel rpc) {
    this.name = name;
    this.rpc = rpc;
  }

  public static Address address(String name, String target) {
    return new Address(name, target);
  }

  static Backend open(Address address, Duration deadline) {
    return new Backend(address.name(), RpcChannel.open(address.target(), deadline));
  }

  /** For people. */
  public String name() {
    return name;
  }

  public Channel channel() {
    return rpc.channel();
  }

  /**
   * The typed form of a failed call. A service that gave a reason is quoted; transport failures,
   * whose text speaks of sockets, are told in the caller's terms.
   */
  public HaqException translate(Throwable failure) {
    HaqException typed = RpcErrors.translate(failure);
    if (RpcErrors.details(failure).isPresent()) {
      return typed;
    }
    if (abandoned) {
      return new HaqException(
          Reason.UNAVAILABLE,
          "this gateway is stopping and could not wait for the %s service: try again"
              .formatted(name),
          failure);
    }
    String missing = typed.details().get(RpcErrors.MISSING_CALL);
    if (missing != null) {
      return new HaqException(
          typed.reason(),
          RpcErrors.lacking("the %s service".formatted(name), missing),
          typed.details(),
          failure);
    }
    if (typed.reason() == Reason.UNAVAILABLE) {
      return new HaqException(
          Reason.UNAVAILABLE,
          "the %s service does not answer: try again; GET /v1/services tells which services are up"
              .formatted(name),
          failure);
    }
    if (typed.reason() == Reason.DEADLINE_EXCEEDED) {
      return new HaqException(
          Reason.DEADLINE_EXCEEDED,
          "the %s service did not finish in time: try again, or ask for less".formatted(name),
          failure);
    }
    return typed;
  }

  /** Fails the calls under way, so that their callers are answered. */
  void abandon() {
    abandoned = true;
    rpc.abandon();
  }

  @Override
  public void close() {
    rpc.close();
  }
}
