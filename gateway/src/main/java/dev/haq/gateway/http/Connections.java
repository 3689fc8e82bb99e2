package dev.haq.gateway.http;

import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpConnection;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Closes connections on which no request has been under way for long. A request that waits for its
 * answer, an event stream say, may be silent: its connection stays.
 */
public final class Connections implements Handler<RoutingContext> {
  /** Touched on the connection's event loop alone. */
  private static final class Use {
    private int requests;

    /** Counts requests begun and ended, so that a connection in use now and then is not idle. */
    private long changes;

    private long timer;
  }

  private final Map<HttpConnection, Use> open = new ConcurrentHashMap<>();
  private final Vertx vertx;
  private final Duration idle;

  Connections(Vertx vertx, Duration idle) {
    this.vertx = vertx;
    this.idle = idle;
  }

  /** To be told of every connection when it is made. */
  public void opened(HttpConnection connection) {
    Use use = new Use();
    open.put(connection, use);
    connection.closeHandler(
        v -> {
          open.remove(connection);
          vertx.cancelTimer(use.timer); // which holds the connection
        });
    check(connection, use);
  }

  private void check(HttpConnection connection, Use use) {
    long before = use.changes;
    use.timer =
        vertx.setTimer(
            idle.toMillis(),
            id -> {
              if (use.requests == 0 && use.changes == before) {
                connection.close();
              } else {
                check(connection, use);
              }
            });
  }

  @Override
  public void handle(RoutingContext ctx) {
    Use use = open.get(ctx.request().connection());
    if (use != null) {
      use.requests++;
      use.changes++;
      ctx.addEndHandler(
          done -> {
            use.requests--;
            use.changes++;
          });
    }
    ctx.next();
  }
}
