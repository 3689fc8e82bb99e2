package dev.haq.gateway.http;

import io.vertx.core.Handler;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.util.Locale;
import java.util.Set;

/**
 * Refuses what another site's page sends through the browser of somebody who can reach this
 * gateway. Browsers name the page's site in Sec-Fetch-Site, or at least in Origin; programs send
 * neither. A site whose name has been made to mean this machine (DNS rebinding) is told by the name
 * in Host, where the gateway listens for this machine alone.
 */
final class OwnPages implements Handler<RoutingContext> {
  private static final Set<String> HARMLESS = Set.of("GET", "HEAD", "OPTIONS");
  private static final Set<String> THIS_MACHINE = Set.of("localhost", "127.0.0.1", "[::1]");

  private final String listening;
  private final boolean alone;

  /**
   * @param listening the address that the gateway listens on
   */
  OwnPages(String listening) {
    this.listening = listening;
    this.alone = isLoopback(listening);
  }

  @Override
  public void handle(RoutingContext ctx) {
    ctx.response().putHeader("X-Content-Type-Options", "nosniff");
    HttpServerRequest request = ctx.request();
    String host = request.getHeader("Host");
    if (alone && host != null && !isThisMachine(host)) {
      throw new Problem.HttpException(
          403,
          "FOREIGN_HOST",
          "this gateway answers to localhost and 127.0.0.1 alone, not to '%s': ask for one of these, or have it listen on another address"
              .formatted(host));
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

  private boolean isThisMachine(String host) {
    try {
      String name = URI.create("http://" + host).getHost();
      return name != null
          && (THIS_MACHINE.contains(name.toLowerCase(Locale.ROOT)) || name.equals(listening));
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  private static boolean isLoopback(String address) {
    try {
      return InetAddress.getByName(address).isLoopbackAddress();
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
