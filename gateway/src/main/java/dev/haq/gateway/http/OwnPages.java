package dev.haq.gateway.http;

import dev.haq.gateway.GatewaySettings;
import io.vertx.core.Handler;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Refuses what another site's page sends through the browser of somebody who can reach this
 * gateway. Browsers name the page's site in Sec-Fetch-Site, or at least in Origin; programs send
 * neither. A site whose name has been made to mean this machine (DNS rebinding) is told by the name
 * in Host, where it is known which names there are: by the settings, or because the gateway listens
 * for this machine alone.
 */
final class OwnPages implements Handler<RoutingContext> {
  private static final Set<String> HARMLESS = Set.of("GET", "HEAD", "OPTIONS");

  /** What a cluster asks for by address, whatever the gateway's names are. */
  private static final Set<String> PROBES = Set.of("/healthz", "/readyz", "/metrics");

  /** Names that no site can have. */
  private static final List<String> THIS_MACHINE = List.of("localhost", "127.0.0.1", "[::1]");

  /** The names that requests may ask by, in lower case; empty for any. */
  private final Set<String> names;

  OwnPages(GatewaySettings settings) {
    List<String> own = new ArrayList<>(settings.hosts());
    if (isKnown(settings.host(), !own.isEmpty())) {
      own.add(authority(settings.host()));
    }
    if (!own.isEmpty()) {
      own.addAll(THIS_MACHINE);
    }
    names =
        own.stream()
            .map(name -> name.toLowerCase(Locale.ROOT))
            .collect(Collectors.toCollection(LinkedHashSet::new));
  }

  @Override
  public void handle(RoutingContext ctx) {
    ctx.response().putHeader("X-Content-Type-Options", "nosniff");
    HttpServerRequest request = ctx.request();
    String host = request.getHeader("Host");
    if (!names.isEmpty() && host != null && !isOwnName(host) && !PROBES.contains(request.path())) {
      throw new Problem.HttpException(
          403,
          "FOREIGN_HOST",
          "this gateway answers to %s alone, not to '%s': ask by one of these, or have HAQ_GATEWAY_ALLOWED_HOSTS name it where the gateway runs"
              .formatted(String.join(", ", names), host));
    }
    String site = request.getHeader("Sec-Fetch-Site");
    String origin = request.getHeader("Origin");
    boolean foreign =
        site != null
            ? !site.equals("same-origin") && !site.equals("none")
            : origin != null && !isOwn(origin, host);
    if (foreign && !HARMLESS.contains(request.method().name())) {
      throw new Problem.HttpException(
          403, "CROSS_ORIGIN", "a page of another site may not change anything here");
    }
    ctx.next();
  }

  private boolean isOwnName(String host) {
    int port = host.indexOf(':', host.indexOf(']') + 1);
    String name = port < 0 ? host : host.substring(0, port);
    return names.contains(name.toLowerCase(Locale.ROOT));
  }

  /** An address as URLs have it: IPv6 in brackets. */
  private static String authority(String address) {
    return address.contains(":") && !address.startsWith("[") ? "[" + address + "]" : address;
  }

  /**
   * Whether this is an address that callers ask by.
   *
   * @param listed whether the settings say which names there are
   */
  private static boolean isKnown(String listening, boolean listed) {
    try {
      InetAddress address = InetAddress.getByName(listening);
      return address.isLoopbackAddress() || (listed && !address.isAnyLocalAddress());
    } catch (UnknownHostException e) {
      return false; // the server says that it cannot listen there
    }
  }

  private static boolean isOwn(String origin, String host) {
    try {
      return host != null && host.equals(URI.create(origin).getRawAuthority());
    } catch (IllegalArgumentException e) {
      return false;
    }
  }
}
