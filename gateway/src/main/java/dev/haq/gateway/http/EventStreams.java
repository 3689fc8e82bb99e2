package dev.haq.gateway.http;

import io.vertx.ext.web.RoutingContext;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The event streams that are open. Safe for use by any thread. */
final class EventStreams {
  private final Set<EventStream<?, ?>> open = ConcurrentHashMap.newKeySet();
  private final long heartbeatMillis;

  /**
   * @param heartbeatMillis how long a stream may be silent
   */
  EventStreams(long heartbeatMillis) {
    this.heartbeatMillis = heartbeatMillis;
  }

  /** Answers a request with a stream; to be called on its event loop. */
  <Q, R> void open(EventStream.Feed<Q, R> feed, RoutingContext ctx, Q request) {
    EventStream<?, ?>[] opened = new EventStream<?, ?>[1];
    opened[0] =
        EventStream.start(feed, ctx, request, heartbeatMillis, () -> open.remove(opened[0]));
    open.add(opened[0]);
  }

  int size() {
    return open.size();
  }

  /** Ends them all, so that their readers come back elsewhere. */
  void stop() {
    open.forEach(EventStream::stop);
  }
}
