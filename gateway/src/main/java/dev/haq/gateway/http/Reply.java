package dev.haq.gateway.http;

import com.google.protobuf.Message;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import java.util.Map;

/** An answer that is whole: encoded in memory. */
record Reply(int status, Map<String, String> headers, Buffer body) implements Answer {
  static Reply ok(Message message) {
    return new Reply(200, Map.of(), json(message));
  }

  static Reply created(Message message, String location) {
    return new Reply(201, Map.of("Location", location), json(message));
  }

  static Reply noContent() {
    return new Reply(204, Map.of(), Buffer.buffer());
  }

  private static Buffer json(Message message) {
    return Buffer.buffer(ProtoJson.print(message));
  }

  @Override
  public void send(RoutingContext ctx) {
    HttpServerResponse response = ctx.response();
    if (response.ended() || response.closed()) {
      return;
    }
    headers.forEach(response::putHeader);
    response.setStatusCode(status);
    if (body.length() == 0) {
      response.end();
    } else {
      response.putHeader("Content-Type", "application/json").end(body);
    }
  }
}
