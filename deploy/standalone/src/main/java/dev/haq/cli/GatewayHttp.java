package dev.haq.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.protobuf.Message;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.io.BufferedReader;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/**
 * HTTP as the gateway speaks it: messages as JSON, files, streams of events. Every call blocks;
 * every error is a {@link HaqException} with the reason that the service gave.
 */
final class GatewayHttp {
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);

  /** As long as an evaluation may take inside this command; a server has limits of its own. */
  private static final Duration CALL_TIMEOUT = Duration.ofDays(1);

  /** Lists and single resources, for which a gateway takes a few seconds at most. */
  private static final Duration READ_TIMEOUT = Duration.ofMinutes(1);

  /** Three of the heartbeats that a gateway sends into a stream where it has nothing else. */
  private static final Duration SILENCE = Duration.ofSeconds(45);

  private final URI base;
  private final Duration silence;
  private final HttpClient http;
  private final Optional<Authorization> authorization;

  /**
   * @param base such as {@code http://localhost:8080}
   */
  GatewayHttp(URI base) {
    this(base, SILENCE);
  }

  /**
   * @param silence how long nothing may come of a stream of events
   */
  GatewayHttp(URI base, Duration silence) {
    this(base, silence, Optional.empty());
  }

  private GatewayHttp(URI base, Duration silence, Optional<Authorization> authorization) {
    this.silence = silence;
    this.authorization = authorization;
    String text = base.toString();
    this.base = URI.create(text.endsWith("/") ? text.substring(0, text.length() - 1) : text);
    this.http =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(CONNECT_TIMEOUT)
            .build();
  }

  /** The same, where every request says who asks. */
  GatewayHttp as(Optional<Authorization> who) {
    return new GatewayHttp(base, silence, who);
  }

  URI base() {
    return base;
  }

  /** Whether a path answers. */
  boolean isUp(String path) {
    try {
      HttpRequest request = request(path).timeout(CONNECT_TIMEOUT).GET().build();
      return exchange(request, BodyHandlers.discarding()).statusCode() == 200;
    } catch (HaqException e) {
      return false;
    }
  }

  /**
   * The lines of a stream of events; the caller closes it. Reading one throws {@link
   * java.io.UncheckedIOException} when the connection breaks, or nothing comes for long.
   */
  Stream<String> lines(String path) {
    return lines(request(path).GET());
  }

  /** The lines of the stream of events that answers a message; the caller closes it. */
  Stream<String> lines(String path, Message body) {
    return lines(
        request(path)
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(Json.print(body))));
  }

  private Stream<String> lines(HttpRequest.Builder request) {
    HttpResponse<InputStream> response =
        begun(request.header("Accept", "text/event-stream").build());
    InputStream body = new LiveInput(response.body(), silence);
    if (response.statusCode() != 200) {
      throw problem(response.statusCode(), text(body));
    }
    BufferedReader reader = new BufferedReader(new InputStreamReader(body, StandardCharsets.UTF_8));
    return reader.lines().onClose(() -> close(body));
  }

  private String text(InputStream body) {
    try (body) {
      return new String(body.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw broken(e);
    }
  }

  private static void close(InputStream body) {
    try {
      body.close();
    } catch (IOException e) {
      // Nobody reads on.
    }
  }

  /**
   * Fetches a file, which is there completely or not at all.
   *
   * @return the headers that came with it
   */
  HttpHeaders download(String path, Path target) {
    return download(request(path).timeout(CALL_TIMEOUT).GET().build(), target);
  }

  /** The same for the file that answers a message. */
  HttpHeaders download(String path, Message body, Path target) {
    return download(json(path, body), target);
  }

  private HttpHeaders download(HttpRequest request, Path target) {
    HttpResponse<InputStream> response = exchange(request, BodyHandlers.ofInputStream());
    try (InputStream body = response.body()) {
      if (response.statusCode() != 200) {
        throw problem(
            response.statusCode(), new String(body.readAllBytes(), StandardCharsets.UTF_8));
      }
      OutFile.save(body, target);
    } catch (IOException e) {
      throw new HaqException(
          Reason.UNAVAILABLE, "the download broke off: " + e.getMessage() + "; try again", e);
    }
    return response.headers();
  }

  <B extends Message.Builder> B get(String path, B answer) {
    return call(request(path).timeout(READ_TIMEOUT).GET().build(), answer);
  }

  <B extends Message.Builder> B post(String path, Message body, B answer) {
    return call(json(path, body), answer);
  }

  private HttpRequest json(String path, Message body) {
    return request(path)
        .timeout(CALL_TIMEOUT)
        .header("Content-Type", "application/json")
        .POST(BodyPublishers.ofString(Json.print(body)))
        .build();
  }

  <B extends Message.Builder> B post(String path, HttpRequest.BodyPublisher body, B answer) {
    HttpRequest request =
        request(path)
            .timeout(CALL_TIMEOUT)
            .header("Content-Type", "application/octet-stream")
            .POST(body)
            .build();
    try {
      return call(request, answer);
    } catch (HaqException e) {
      // A proxy may close without having read a body that is too large; its answer is then lost.
      boolean closed =
          e.getCause() instanceof IOException && !(e.getCause() instanceof ConnectException);
      if (closed && body.contentLength() > 0) {
        throw new HaqException(
            e.reason(), e.getMessage() + ", or see whether a proxy there limits bodies", e);
      }
      throw e;
    }
  }

  private <B extends Message.Builder> B call(HttpRequest request, B answer) {
    HttpResponse<String> response =
        exchange(request, BodyHandlers.ofString(StandardCharsets.UTF_8));
    if (response.statusCode() / 100 != 2) {
      throw problem(response.statusCode(), response.body());
    }
    return Json.parse(response.body(), answer);
  }

  private <T> HttpResponse<T> exchange(HttpRequest request, HttpResponse.BodyHandler<T> handler) {
    try {
      return http.send(request, handler);
    } catch (IOException e) {
      throw broken(e);
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  /** Waits for the head alone: a request's own timeout may be of the whole stream (JDK 26). */
  private HttpResponse<InputStream> begun(HttpRequest request) {
    CompletableFuture<HttpResponse<InputStream>> answer =
        http.sendAsync(request, BodyHandlers.ofInputStream());
    try {
      return answer.get(silence.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      answer.cancel(true);
      throw broken(new HttpTimeoutException("no answer in " + silence.toSeconds() + " s"));
    } catch (ExecutionException e) {
      throw broken(
          e.getCause() instanceof IOException cause ? cause : new IOException(e.getCause()));
    } catch (InterruptedException e) {
      answer.cancel(true);
      throw interrupted(e);
    }
  }

  private static HaqException interrupted(InterruptedException e) {
    Thread.currentThread().interrupt();
    return new HaqException(Reason.CANCELLED, "interrupted", e);
  }

  private HaqException broken(IOException e) {
    if (e instanceof ConnectException) {
      return new HaqException(
          Reason.UNAVAILABLE,
          "nothing answers at " + base + ": start the services there with 'haq serve'",
          e);
    }
    return new HaqException(
        Reason.UNAVAILABLE,
        "the connection to " + base + " broke: " + e.getMessage() + "; try again",
        e);
  }

  /** What an application/problem+json document (RFC 9457) says. */
  HaqException problem(int status, String body) {
    JsonNode document;
    try {
      document = Json.tree(body);
    } catch (HaqException e) {
      return unexplained(status);
    }
    if (!document.path("detail").isTextual()) {
      return unexplained(status);
    }
    Map<String, String> details = new HashMap<>();
    document
        .path("details")
        .properties()
        .forEach(field -> details.put(field.getKey(), field.getValue().asText()));
    return new HaqException(
        reason(document.path("reason").asText(""), status),
        document.path("detail").asText(),
        details,
        null);
  }

  /** A gateway explains its errors: this is one of what lies before it, or of something else. */
  private HaqException unexplained(int status) {
    return switch (status) {
      case 301, 302, 303, 307, 308 ->
          new HaqException(
              Reason.INVALID_ARGUMENT,
              "%s sends callers elsewhere (status %d): give --server the address that they are sent to, or, where that is a page to log in, %s"
                  .formatted(base, status, identify()));
      case 401, 403 ->
          new HaqException(
              Reason.INVALID_ARGUMENT,
              "a proxy at %s does not let you in (status %d): %s"
                  .formatted(base, status, identify()));
      case 413 ->
          new HaqException(
              Reason.TOO_LARGE,
              "a proxy at %s takes no body as large as this one (status 413): have its limit raised (nginx: client_max_body_size)"
                  .formatted(base));
      case 504 ->
          new HaqException(
              Reason.UNAVAILABLE,
              "a proxy at %s no longer waited for the answer (status 504): have its time limit raised (nginx: proxy_read_timeout), or try again"
                  .formatted(base));
      case 502, 503 ->
          new HaqException(
              Reason.UNAVAILABLE,
              "%s does not reach its gateway (status %d): try again".formatted(base, status));
      default ->
          new HaqException(
              Reason.INTERNAL,
              "%s answered with status %d and no explanation: is it a haq gateway?"
                  .formatted(base, status));
    };
  }

  private String identify() {
    return authorization.isPresent()
        ? "what %s says is not accepted there".formatted(Authorization.VARIABLE)
        : "set the environment variable %s to what the header %s shall say, such as 'Bearer ...'"
            .formatted(Authorization.VARIABLE, Authorization.HEADER);
  }

  private static Reason reason(String name, int status) {
    for (Reason reason : Reason.values()) {
      if (reason.name().equals(name)) {
        return reason;
      }
    }
    if (status >= 502 && status <= 504) {
      return Reason.UNAVAILABLE;
    }
    return status / 100 == 4 ? Reason.INVALID_ARGUMENT : Reason.INTERNAL;
  }

  private HttpRequest.Builder request(String path) {
    HttpRequest.Builder request = HttpRequest.newBuilder(uri(path));
    authorization.ifPresent(who -> request.header(Authorization.HEADER, who.value()));
    return request;
  }

  private URI uri(String pathAndQuery) {
    return URI.create(base + pathAndQuery);
  }

  /** A file as a body. */
  static HttpRequest.BodyPublisher upload(Path file) {
    try {
      return BodyPublishers.ofFile(file);
    } catch (FileNotFoundException e) {
      throw HaqException.invalid("%s: there is no such file", file);
    }
  }

  /** Text as a part of a path or query. */
  static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }
}
