package dev.haq.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Callers that hold on to what a gateway has only so much of. */
@Timeout(120)
final class SlowCallersTest {
  private static final int JSON_LIMIT = 256 << 10;

  private GatewayFixture gateway;

  @BeforeEach
  void start() {
    gateway = gateway(1);
  }

  /**
   * @param seconds that a body may pause
   */
  private static GatewayFixture gateway(int seconds) {
    return new GatewayFixture(
        Map.of(
            "HAQ_GATEWAY_MAX_JSON_BYTES", Integer.toString(JSON_LIMIT),
            "HAQ_GATEWAY_BODY_SECONDS", Integer.toString(seconds),
            "HAQ_GATEWAY_IDLE_SECONDS", "2"));
  }

  /** Another gateway, for callers that a busy machine may hold up. */
  private void waitLonger(int seconds) {
    gateway.close();
    gateway = gateway(seconds);
  }

  @AfterEach
  void stop() {
    gateway.quantizer.gate.countDown();
    gateway.close();
  }

  @Test
  @WaitsForTimers
  void aBodyThatStopsComingIsGivenUp() throws Exception {
    for (String path : List.of("/v1/simulate", "/v1/models")) {
      try (Socket socket = post(path, 10_000)) {
        socket.getOutputStream().write("{\"network\"".getBytes(StandardCharsets.US_ASCII));
        String answer = rest(socket);
        assertTrue(answer.startsWith("HTTP/1.1 408 "), path + ": " + answer);
        assertTrue(answer.contains("\"BODY_TIMEOUT\""), answer);
      }
    }
  }

  @Test
  @WaitsForTimers
  void aBodyThatComesSlowlyIsTaken() throws Exception {
    waitLonger(3); // less than all of it takes
    String body = "{\"target\": {\"name\": \"bismo-edge\"}}";
    try (Socket socket = post("/v1/simulate", body.length())) {
      for (byte one : body.getBytes(StandardCharsets.US_ASCII)) {
        socket.getOutputStream().write(one);
        TimeUnit.MILLISECONDS.sleep(100);
      }
      String answer = new String(socket.getInputStream().readNBytes(12), StandardCharsets.UTF_8);
      assertEquals("HTTP/1.1 200", answer);
    }
  }

  @Test
  @WaitsForTimers
  void aConnectionWithoutARequestIsClosed() throws Exception {
    try (Socket silent = connected();
        Socket half = connected()) {
      half.getOutputStream().write("GET /healthz HT".getBytes(StandardCharsets.US_ASCII));
      assertEquals("", rest(silent));
      assertEquals("", rest(half));
    }
    try (Socket used = connected()) {
      used.getOutputStream()
          .write(
              "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.UTF_8));
      assertTrue(rest(used).startsWith("HTTP/1.1 200 "));
    }
  }

  @Test
  @WaitsForTimers
  void aCallerThatWaitsForALongAnswerStaysConnected() throws Exception {
    CompletableFuture<HttpResponse<String>> answer =
        gateway.http.sendAsync(
            gateway
                .request("/v1/evaluate")
                .POST(BodyPublishers.ofString("{\"model\": \"slow\"}"))
                .build(),
            HttpResponse.BodyHandlers.ofString());
    assertTrue(gateway.quantizer.evaluating.await(20, TimeUnit.SECONDS));
    assertFalse(gateway.quantizer.abandoned.await(6, TimeUnit.SECONDS));
    assertFalse(answer.isDone());
    answer.cancel(true);
  }

  @Test
  void onlySoManyLargeBodiesAreHeldAtATime() throws Exception {
    waitLonger(60);
    String large = "{\"target\": {\"name\": \"bismo-edge\"}}" + " ".repeat(JSON_LIMIT - 100);
    List<Socket> slow = new ArrayList<>();
    try {
      for (int i = 0; i < 8; i++) {
        Socket socket = post("/v1/simulate", JSON_LIMIT);
        socket.getOutputStream().write('{');
        slow.add(socket);
      }
      // They count once their heads have been read.
      HttpResponse<String> answer = gateway.post("/v1/simulate", large);
      for (int i = 0; i < 200 && answer.statusCode() == 200; i++) {
        TimeUnit.MILLISECONDS.sleep(25);
        answer = gateway.post("/v1/simulate", large);
      }
      assertEquals(429, answer.statusCode(), answer.body());
      assertEquals("1", answer.headers().firstValue("retry-after").orElseThrow());
      assertEquals(
          200, gateway.post("/v1/simulate", large.strip()).statusCode(), "small ones are taken");
    } finally {
      for (Socket socket : slow) {
        socket.close();
      }
    }
    HttpResponse<String> answer = gateway.post("/v1/simulate", large);
    for (int i = 0; i < 100 && answer.statusCode() == 429; i++) {
      TimeUnit.MILLISECONDS.sleep(50);
      answer = gateway.post("/v1/simulate", large);
    }
    assertEquals(200, answer.statusCode(), "those who left are forgotten: " + answer.body());
  }

  @Test
  void aSmallBodySentInChunksTakesNoRoomOnceItHasCome() throws Exception {
    byte[] small = "{\"model\": \"slow\"}".getBytes(StandardCharsets.UTF_8);
    List<CompletableFuture<HttpResponse<String>>> waiting = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      waiting.add(
          gateway.http.sendAsync(
              gateway
                  .request("/v1/evaluate")
                  .POST(BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(small)))
                  .build(),
              HttpResponse.BodyHandlers.ofString()));
    }
    assertTrue(gateway.quantizer.evaluating.await(20, TimeUnit.SECONDS));
    String large = "{\"target\": {\"name\": \"bismo-edge\"}}" + " ".repeat(JSON_LIMIT - 100);
    HttpResponse<String> answer = gateway.post("/v1/simulate", large);
    for (int i = 0; i < 100 && answer.statusCode() == 429; i++) {
      TimeUnit.MILLISECONDS.sleep(50); // until the last of the eight has come
      answer = gateway.post("/v1/simulate", large);
    }
    assertEquals(200, answer.statusCode(), answer.body());
    assertTrue(waiting.stream().noneMatch(CompletableFuture::isDone), "all wait for their answers");
    waiting.forEach(each -> each.cancel(true));
  }

  private Socket connected() throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), gateway.port());
    socket.setSoTimeout(30_000);
    return socket;
  }

  /** The head of a request whose body is still to come. */
  private Socket post(String path, int length) throws IOException {
    Socket socket = connected();
    socket
        .getOutputStream()
        .write(
            "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
                .formatted(path, length)
                .getBytes(StandardCharsets.US_ASCII));
    return socket;
  }

  /** All that still comes until the gateway closes. */
  private static String rest(Socket socket) throws IOException {
    return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
  }
}
