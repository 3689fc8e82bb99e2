package dev.haq.rpc;

import dev.haq.model.HaqException;
import io.grpc.EquivalentAddressGroup;
import io.grpc.NameResolver;
import io.grpc.NameResolverProvider;
import io.grpc.Status;
import io.grpc.StatusOr;
import io.grpc.SynchronizationContext.ScheduledHandle;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Finds the replicas of a service: looks up every host of a list again every few seconds. gRPC's
 * own DNS resolver looks again only after a connection was lost, so that replicas added by an
 * autoscaler would stay idle.
 */
final class ReplicaResolver extends NameResolver {
  static final NameResolverProvider PROVIDER = new Provider();

  private static final String SCHEME = "replicas";
  private static final long REFRESH_SECONDS = 5;

  private final List<HostAndPort> hosts;
  private final Args args;
  private Listener2 listener;
  private ScheduledHandle next;
  private List<EquivalentAddressGroup> known = List.of();

  private ReplicaResolver(List<HostAndPort> hosts, Args args) {
    this.hosts = hosts;
    this.args = args;
  }

  private record HostAndPort(String host, int port) {
    static HostAndPort parse(String text) {
      int colon = text.lastIndexOf(':');
      try {
        int port = Integer.parseInt(text.substring(colon + 1));
        if (colon > 0 && port > 0 && port < 65536) {
          return new HostAndPort(host(text, text.substring(0, colon)), port);
        }
      } catch (NumberFormatException e) {
        throw HaqException.invalid(
            "service address '%s': '%s' is not a port", text, text.substring(colon + 1));
      }
      throw HaqException.invalid("service address '%s' is not of the form host:port", text);
    }

    private static String host(String text, String host) {
      if (host.contains(":") && !(host.startsWith("[") && host.endsWith("]"))) {
        throw HaqException.invalid(
            "service address '%s': put an IPv6 address in brackets, such as [fd00::1]:9101", text);
      }
      return host;
    }
  }

  /** The target string of a service address as {@link RpcChannel#open} takes it. */
  static String uri(String target) {
    String list = target.startsWith("dns:///") ? target.substring("dns:///".length()) : target;
    for (String one : list.split(",", -1)) {
      HostAndPort.parse(one.strip());
    }
    try {
      return new URI(SCHEME, "", "/" + list.replace(" ", ""), null, null).toString();
    } catch (URISyntaxException e) {
      throw HaqException.invalid("service address '%s': %s", target, e.getReason());
    }
  }

  @Override
  public String getServiceAuthority() {
    return hosts.get(0).host() + ":" + hosts.get(0).port();
  }

  @Override
  public void start(Listener2 target) {
    listener = target;
    resolve();
  }

  @Override
  public void refresh() {
    if (next != null) {
      next.cancel();
      resolve();
    }
  }

  @Override
  public void shutdown() {
    if (next != null) {
      next.cancel();
    }
    listener = null;
  }

  private void resolve() {
    next = null;
    args.getOffloadExecutor()
        .execute(
            () -> {
              List<EquivalentAddressGroup> found = new ArrayList<>();
              String failure = lookUp(found);
              args.getSynchronizationContext().execute(() -> publish(found, failure));
            });
  }

  private String lookUp(List<EquivalentAddressGroup> found) {
    String failure = null;
    for (HostAndPort host : hosts) {
      try {
        for (InetAddress address : InetAddress.getAllByName(host.host())) {
          found.add(new EquivalentAddressGroup(new InetSocketAddress(address, host.port())));
        }
      } catch (UnknownHostException e) {
        failure = "cannot find the host " + host.host();
      }
    }
    return failure;
  }

  private void publish(List<EquivalentAddressGroup> found, String failure) {
    if (listener == null) {
      return;
    }
    if (found.isEmpty()) {
      listener.onError(Status.UNAVAILABLE.withDescription(failure));
    } else if (!found.equals(known)) {
      known = found;
      listener.onResult2(
          ResolutionResult.newBuilder().setAddressesOrError(StatusOr.fromValue(found)).build());
    }
    next =
        args.getSynchronizationContext()
            .schedule(
                this::resolve,
                REFRESH_SECONDS,
                TimeUnit.SECONDS,
                args.getScheduledExecutorService());
  }

  private static final class Provider extends NameResolverProvider {
    @Override
    public NameResolver newNameResolver(URI target, Args args) {
      if (!SCHEME.equals(target.getScheme())) {
        return null;
      }
      List<HostAndPort> hosts = new ArrayList<>();
      for (String one : target.getSchemeSpecificPart().replaceFirst("^/+", "").split(",", -1)) {
        hosts.add(HostAndPort.parse(one));
      }
      return new ReplicaResolver(hosts, args);
    }

    @Override
    public String getDefaultScheme() {
      return SCHEME;
    }

    @Override
    protected boolean isAvailable() {
      return true;
    }

    @Override
    protected int priority() {
      // Below the default: the plain names of other channels in this process stay with gRPC's own
      // resolver.
      return 4;
    }
  }
}
