package dev.haq.gateway.web;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Properties;

/** The live page at {@code /}: a fixed list of small files, read once and kept in memory. */
public final class WebPage {
  /** Only files of this list load, nothing inline, and nothing frames the page. */
  private static final String POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
          + "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

  private static final String UPLOT = "META-INF/maven/org.webjars.npm/uplot/pom.properties";

  private record Asset(String type, Buffer bytes, String etag) {}

  public void mount(Router router) {
    asset(router, "/", "text/html", "web/index.html");
    asset(router, "/page/style.css", "text/css", "web/style.css");
    asset(router, "/page/icon.svg", "image/svg+xml", "web/icon.svg");
    for (String module : new String[] {"app", "api", "list", "detail", "chart", "bits", "text"}) {
      asset(router, "/page/" + module + ".js", "text/javascript", "web/" + module + ".js");
    }
    String uplot = "META-INF/resources/webjars/uplot/" + uplotVersion() + "/dist/";
    asset(router, "/lib/uplot.js", "text/javascript", uplot + "uPlot.esm.js");
    asset(router, "/lib/uplot.css", "text/css", uplot + "uPlot.min.css");
  }

  private static void asset(Router router, String path, String type, String resource) {
    byte[] bytes = read(resource);
    Asset asset =
        new Asset(type + "; charset=utf-8", Buffer.buffer(bytes), '"' + digest(bytes) + '"');
    router
        .route(path)
        .method(HttpMethod.GET)
        .method(HttpMethod.HEAD)
        .handler(ctx -> send(ctx, asset));
  }

  private static void send(RoutingContext ctx, Asset asset) {
    HttpServerResponse response =
        ctx.response()
            .putHeader("ETag", asset.etag())
            // Asked for anew each time, sent only when it changed: a new version never meets old
            // files.
            .putHeader("Cache-Control", "no-cache")
            .putHeader("Content-Security-Policy", POLICY)
            .putHeader("Referrer-Policy", "no-referrer");
    if (asset.etag().equals(ctx.request().getHeader("If-None-Match"))) {
      response.setStatusCode(304).end();
    } else {
      response.putHeader("Content-Type", asset.type()).end(asset.bytes());
    }
  }

  /** The version that the build chose, as its jar states it. */
  private static String uplotVersion() {
    Properties properties = new Properties();
    try (InputStream in = open(UPLOT)) {
      properties.load(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return properties.getProperty("version");
  }

  private static byte[] read(String resource) {
    try (InputStream in = open(resource)) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static InputStream open(String resource) {
    InputStream in = WebPage.class.getClassLoader().getResourceAsStream(resource);
    if (in == null) {
      throw new IllegalStateException("no resource " + resource + " on the class path");
    }
    return in;
  }

  private static String digest(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes), 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
