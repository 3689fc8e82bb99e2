package dev.haq.gateway.http;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import io.vertx.core.http.HttpClosedException;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;
import java.util.Locale;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An error as the caller sees it: a problem document (RFC 9457) with the {@code reason} that
 * programs tell errors apart by, and {@code details} with the figures that belong to it.
 */
record Problem(int status, String reason, String detail, Map<String, String> details) {
  private static final Logger LOG = LoggerFactory.getLogger(Problem.class);
  private static final String MEDIA_TYPE = "application/problem+json";

  /** A problem of HTTP itself, thrown by a handler. */
  static final class HttpException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient Problem problem;

    HttpException(int status, String reason, String detail) {
      super(detail);
      this.problem = new Problem(status, reason, detail, Map.of());
    }
  }

  static Problem of(Throwable failure) {
    if (failure instanceof HttpException http) {
      return http.problem;
    }
    if (failure instanceof HaqException typed) {
      return new Problem(
          status(typed.reason()), typed.reason().name(), typed.getMessage(), typed.details());
    }
    if (failure instanceof HttpClosedException) {
      return new Problem(400, Reason.CANCELLED.name(), "the caller left", Map.of()); // nobody reads
    }
    LOG.error("a request failed", failure);
    return new Problem(
        500, Reason.INTERNAL.name(), "internal error of the gateway: see its log", Map.of());
  }

  /** What the router itself answers: no such path, not this method, a body over the limit. */
  static Problem of(RoutingContext ctx, int status) {
    String path = ctx.request().path();
    return switch (status) {
      case 400 ->
          new Problem(400, Reason.INVALID_ARGUMENT.name(), "the request is not readable", Map.of());
      case 404 -> new Problem(404, "NO_SUCH_RESOURCE", "there is nothing at " + path, Map.of());
      case 405 ->
          new Problem(
              405,
              "METHOD_NOT_ALLOWED",
              "%s does not take %s: the Allow header lists what it takes"
                  .formatted(path, ctx.request().method()),
              Map.of());
      case 413 ->
          new Problem(
              413,
              Reason.TOO_LARGE.name(),
              "the request body is larger than this gateway takes of JSON: raise limits.json-bytes (HAQ_GATEWAY_MAX_JSON_BYTES), or use gRPC",
              Map.of());
      default ->
          new Problem(
              status,
              (status / 100 == 4 ? Reason.INVALID_ARGUMENT : Reason.INTERNAL).name(),
              "the request failed with " + status,
              Map.of());
    };
  }

  /**
   * The HTTP status of an error of this reason. What only another request can change is 422, a
   * state that other calls change is 409.
   */
  static int status(Reason reason) {
    return switch (reason) {
      case BUDGET_INFEASIBLE, RESOURCE_NOT_MODELLED, EXPORT_DIFFERS -> 422;
      case TOO_LARGE -> 413;
      case DISK_FULL -> 507;
      default ->
          switch (reason.kind()) {
            case CALLER -> 400;
            case MISSING -> 404;
            case STATE, CONFLICT -> 409;
            case CHANGED -> 412;
            case EXHAUSTED -> 429;
            case FAULT -> 500;
            case CANCELLED, UNAVAILABLE -> 503;
            case DEADLINE -> 504;
          };
    };
  }

  /** Sends this as the answer, unless an answer is already under way. */
  void send(RoutingContext ctx) {
    HttpServerResponse response = ctx.response();
    if (response.ended() || response.closed()) {
      return;
    }
    if (response.headWritten()) {
      ctx.request().connection().close();
      return;
    }
    if (status == 503 || status == 429) {
      response.putHeader("Retry-After", "1");
    }
    response.setStatusCode(status).putHeader("Content-Type", MEDIA_TYPE).end(json().encode());
  }

  /** The document. */
  JsonObject json() {
    JsonObject figures = new JsonObject();
    details.forEach(figures::put);
    return new JsonObject()
        .put("type", "urn:haq:problem:" + reason.toLowerCase(Locale.ROOT).replace('_', '-'))
        .put("title", title())
        .put("status", status)
        .put("detail", detail)
        .put("reason", reason)
        .put("details", figures);
  }

  /** {@code BUDGET_INFEASIBLE} as "Budget infeasible". */
  private String title() {
    return reason.charAt(0) + reason.substring(1).toLowerCase(Locale.ROOT).replace('_', ' ');
  }
}
