package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.agent.v1.Episode;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionState;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SessionWatchTest {
  private HttpServer server;
  private GatewayClient client;
  private final List<String> asked = new ArrayList<>();
  private Iterator<String> streams;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/v1/sessions/s/events", this::events);
    server.createContext(
        "/v1/sessions/s", exchange -> answer(exchange, 200, json(SessionState.SUCCEEDED, 4)));
    server.createContext(
        "/v1/models/",
        exchange ->
            answer(
                exchange,
                404,
                "{\"reason\": \"UNKNOWN_MODEL\", \"detail\": \"no such model\","
                    + " \"details\": {\"hint\": \"7\"}}"));
    server.start();
    client =
        new GatewayClient(URI.create("http://localhost:" + server.getAddress().getPort() + "/"));
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  @Test
  void aBrokenStreamIsTakenUpAfterTheLastEpisode() {
    streams =
        List.of(
                snapshot() + episode(1) + episode(2),
                snapshot() + episode(2) + episode(3) + episode(4) + finished())
            .iterator();
    List<Integer> seen = new ArrayList<>();
    SessionWatch.Listener listener =
        new SessionWatch.Listener() {
          @Override
          public void session(Session session) {}

          @Override
          public void episode(Episode episode) {
            seen.add(episode.getNumber());
          }
        };
    Session ended = new SessionWatch(client, "s", 0, listener).follow();
    assertEquals(List.of(1, 2, 3, 4), seen);
    assertEquals(List.of("after=0", "after=2"), asked);
    assertEquals(SessionState.SUCCEEDED, ended.getState());
  }

  @Test
  void aProblemKeepsItsReasonAndDetails() {
    HaqException e = assertThrows(HaqException.class, () -> client.model("sha256:00"));
    assertEquals(Reason.UNKNOWN_MODEL, e.reason());
    assertEquals("no such model", e.getMessage());
    assertEquals("7", e.details().get("hint"));
  }

  @Test
  void eventsAreReadAsTheStandardSays() {
    List<SseReader.Event> events = new ArrayList<>();
    SseReader.read(
        List.of("retry: 1", "", ": hi", "data:a", "data: b", "id: 3", "", "event: e", "data: c", "")
            .iterator(),
        events::add);
    assertEquals(
        List.of(new SseReader.Event("message", "a\nb"), new SseReader.Event("e", "c")), events);
  }

  private void events(HttpExchange exchange) throws IOException {
    asked.add(exchange.getRequestURI().getQuery());
    answer(exchange, 200, streams.next());
  }

  private static void answer(HttpExchange exchange, int status, String body) throws IOException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length);
    try (OutputStream out = exchange.getResponseBody()) {
      out.write(bytes);
    }
  }

  private static String json(SessionState state, int episodes) {
    return Json.tree(Session.newBuilder().setState(state).setEpisodesDone(episodes)).toString();
  }

  private static String snapshot() {
    return ": hello\n\nevent: snapshot\ndata: " + json(SessionState.RUNNING, 0) + "\n\n";
  }

  private static String episode(int number) {
    return "event: episode\nid: %d\ndata: {\"number\": %d}\n\n".formatted(number, number);
  }

  private static String finished() {
    return "event: state\ndata: " + json(SessionState.SUCCEEDED, 4) + "\n\n";
  }
}
