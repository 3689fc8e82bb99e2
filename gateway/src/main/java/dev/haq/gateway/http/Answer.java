package dev.haq.gateway.http;

import io.vertx.ext.web.RoutingContext;

/** What a caller is answered, made and ready to be sent. */
interface Answer {
  /** To be called on the request's event loop. */
  void send(RoutingContext ctx);
}
