package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

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
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SessionWatchTest {
  /** At the end of a stream that is kept open. */
  private static final String SILENCE = ": silence\n\n";

  private HttpServer server;
  private GatewayClient client;
  private final List<String> asked = new ArrayList<>();
  private Iterator<String> streams;
  private Iterator<Integer> statuses = Collections.emptyIterator();

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
    Numbers seen = new Numbers();
    Session ended = new SessionWatch(client, "s", 0, seen).follow();
    assertEquals(List.of(1, 2, 3, 4), seen.numbers);
    assertEquals(List.of("after=0", "after=2"), asked);
    assertEquals(SessionState.SUCCEEDED, ended.getState());
  }

  @Test
  void aProxyThatCannotReachTheGatewayIsAskedAgainAndSoIsAGatewayThatIsSlow() {
    streams =
        List.of(
                "<html>502 Bad Gateway</html>",
                "{\"message\": \"no upstream\"}",
                "<html>504 Gateway Time-out</html>",
                "{\"reason\": \"DEADLINE_EXCEEDED\", \"detail\": \"not in time\"}",
                snapshot() + episode(1) + episode(2) + episode(3) + episode(4) + finished())
            .iterator();
    statuses = List.of(502, 503, 504, 504).iterator();
    Session ended = new SessionWatch(client, "s", 0, new Numbers()).follow();
    assertEquals(SessionState.SUCCEEDED, ended.getState());
    assertEquals(5, asked.size());
  }

  @Test
  void aStreamThatFallsSilentIsOpenedAgain() {
    GatewayClient impatient =
        new GatewayClient(new GatewayHttp(client.base(), Duration.ofSeconds(2)));
    streams =
        List.of(
                snapshot() + episode(1) + SILENCE,
                snapshot() + episode(2) + episode(3) + episode(4) + finished())
            .iterator();
    Numbers seen = new Numbers();
    assertTimeoutPreemptively(
        Duration.ofSeconds(30), () -> new SessionWatch(impatient, "s", 0, seen).follow());
    assertEquals(List.of(1, 2, 3, 4), seen.numbers);
    assertEquals(List.of("after=0", "after=1"), asked);
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

  /** Keeps the episodes that it is told. */
  private static final class Numbers implements SessionWatch.Listener {
    private final List<Integer> numbers = new ArrayList<>();

    @Override
    public void session(Session session) {}

    @Override
    public void episode(Episode episode) {
      numbers.add(episode.getNumber());
    }
  }

  private void events(HttpExchange exchange) throws IOException {
    asked.add(exchange.getRequestURI().getQuery());
    String stream = streams.next();
    if (stream.endsWith(SILENCE)) {
      exchange.sendResponseHeaders(200, 0);
      exchange.getResponseBody().write(stream.getBytes(StandardCharsets.UTF_8));
      exchange.getResponseBody().flush();
      return; // and never comes to an end
    }
    answer(exchange, statuses.hasNext() ? statuses.next() : 200, stream);
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
