package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.agent.v1.PredictFrontRequest;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.quantizer.v1.EvaluateRequest;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The command before a proxy that asks who it is, limits what it passes on, and gives up. */
@Timeout(60)
class ProxyTest {
  private static final String SECRET = "Bearer s3cret";

  @TempDir Path folder;
  private HttpServer proxy;
  private final List<String> unidentified = new CopyOnWriteArrayList<>();
  private final List<String> passed = new CopyOnWriteArrayList<>();
  private volatile int refusal;

  @BeforeEach
  void start() throws IOException {
    proxy = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    proxy.createContext("/", this::answer);
    proxy.start();
  }

  @AfterEach
  void stop() {
    proxy.stop(0);
  }

  @Test
  void everyRequestSaysWhoAsks() throws IOException {
    GatewayClient client = client(Optional.of(SECRET));
    client.sessions();
    client.evaluate(EvaluateRequest.getDefaultInstance());
    client.act("a", "stop");
    client.importModel(file(), "net", Optional.empty(), "--model net.onnx");
    client.downloadModel("a", folder.resolve("a.onnx"));
    assertTrue(client.isReady());
    try (Stream<String> events = client.events("a", 0)) {
      assertEquals(1, events.filter(line -> line.startsWith("data:")).count());
    }
    assertThrows(
        HaqException.class, // for it has no event of its own
        () -> client.predictFront(PredictFrontRequest.getDefaultInstance(), told -> {}));
    assertEquals(List.of(), unidentified);
    assertEquals(8, passed.size(), passed.toString());
  }

  @Test
  void whoIsNotLetInIsToldHowToSayWhoAsks() {
    HaqException unknown = assertThrows(HaqException.class, client(Optional.empty())::sessions);
    assertEquals(Reason.INVALID_ARGUMENT, unknown.reason());
    assertTrue(
        unknown
            .getMessage()
            .contains("(status 401): set the environment variable HAQ_AUTHORIZATION"));

    HaqException wrong =
        assertThrows(HaqException.class, client(Optional.of("Bearer other"))::sessions);
    assertTrue(
        wrong.getMessage().contains("what HAQ_AUTHORIZATION says is not accepted"),
        wrong.getMessage());
    assertFalse(wrong.getMessage().contains("other"), wrong.getMessage());
    HaqException stream =
        assertThrows(HaqException.class, () -> client(Optional.empty()).events("a", 0).close());
    assertEquals(Reason.INVALID_ARGUMENT, stream.reason());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "413|TOO_LARGE|takes no body as large as this one (status 413)",
        "504|UNAVAILABLE|no longer waited for the answer (status 504): have its time limit raised",
        "502|UNAVAILABLE|does not reach its gateway (status 502): try again",
        "403|INVALID_ARGUMENT|does not let you in (status 403)",
        "302|INVALID_ARGUMENT|sends callers elsewhere (status 302)",
        "418|INTERNAL|is it a haq gateway?",
      })
  void whatAProxyRefusesIsSaidWithItsLikelyCause(int status, Reason reason, String expected) {
    refusal = status;
    HaqException refused =
        assertThrows(
            HaqException.class,
            () ->
                client(Optional.of(SECRET))
                    .importModel(file(), "net", Optional.empty(), "--model net.onnx"));
    assertEquals(reason, refused.reason());
    assertTrue(refused.getMessage().contains(expected), refused.getMessage());
  }

  @Test
  void aValueThatNoHeaderMayHaveIsRefusedWithoutBeingPrinted() {
    HaqException refused =
        assertThrows(
            HaqException.class,
            () -> Authorization.of(Map.of(Authorization.VARIABLE, "Bearer a\r\nX-Evil: b")));
    assertTrue(refused.getMessage().startsWith("HAQ_AUTHORIZATION holds a character"));
    assertFalse(refused.getMessage().contains("Evil"), refused.getMessage());
    assertEquals(Optional.empty(), Authorization.of(Map.of(Authorization.VARIABLE, " ")));
    assertEquals(
        "Bearer a",
        Authorization.of(Map.of(Authorization.VARIABLE, "Bearer a\n")).orElseThrow().value());
  }

  @Test
  void theCommandTakesItFromTheEnvironment() throws Exception {
    String server = url().toString();
    try (Child child =
        Child.start(
            "dev.haq.cli.Haq",
            List.of("sessions", "--server", server, "--json"),
            Map.of(Authorization.VARIABLE, SECRET))) {
      assertEquals(0, child.exit());
    }
    assertEquals(List.of(), unidentified);
    assertFalse(passed.isEmpty());
  }

  private GatewayClient client(Optional<String> authorization) {
    return new GatewayClient(new GatewayHttp(url()).as(authorization.map(Authorization::new)));
  }

  private URI url() {
    return URI.create("http://localhost:" + proxy.getAddress().getPort());
  }

  private Path file() throws IOException {
    return Files.writeString(folder.resolve("net.onnx"), "not really a network");
  }

  private void answer(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    exchange.getRequestBody().readAllBytes();
    String who = exchange.getRequestHeaders().getFirst(Authorization.HEADER);
    if (who == null || !who.equals(SECRET)) {
      unidentified.add(path);
      exchange.getResponseHeaders().add("WWW-Authenticate", "Bearer");
      send(exchange, 401, "text/html", "<html>who are you?</html>");
    } else if (refusal != 0) {
      // As some do: JSON, and yet no explanation of a gateway.
      send(exchange, refusal, "application/json", "{\"message\": \"no\"}");
    } else {
      passed.add(path);
      if (path.endsWith("/events") || path.endsWith("/front")) {
        String session = Json.print(Session.getDefaultInstance());
        send(exchange, 200, "text/event-stream", "event: snapshot\ndata: " + session + "\n\n");
      } else {
        send(exchange, 200, "application/json", "{}");
      }
    }
  }

  private static void send(HttpExchange exchange, int status, String type, String body)
      throws IOException {
    try (exchange) {
      exchange.getResponseHeaders().add("Content-Type", type);
      byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
      exchange.sendResponseHeaders(status, bytes.length);
      exchange.getResponseBody().write(bytes);
    }
  }
}
