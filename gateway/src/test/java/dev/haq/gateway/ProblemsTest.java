package dev.haq.gateway;

import static dev.haq.gateway.GatewayFixture.json;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
final class ProblemsTest {
  private static GatewayFixture gateway;

  @BeforeAll
  static void start() {
    gateway =
        new GatewayFixture(
            Map.of(
                "HAQ_GATEWAY_MAX_JSON_BYTES", "4096",
                "HAQ_GATEWAY_MAX_MODEL_BYTES", "1048576",
                "HAQ_GATEWAY_MAX_DATASET_BYTES", "1048576",
                "HAQ_GATEWAY_UPLOAD_CHUNK_BYTES", "65536",
                "HAQ_GATEWAY_EVALUATE_SECONDS", "1",
                "HAQ_GATEWAY_HEALTH_SECONDS", "1"));
  }

  @AfterAll
  static void stop() {
    gateway.close();
  }

  @Test
  void anUnknownFieldIsRefusedByName() throws Exception {
    HttpResponse<String> answer = gateway.post("/v1/sessions", "{\"spec\": {\"epsiodes\": 3}}");
    assertProblem(400, "INVALID_ARGUMENT", answer);
    assertDetail("there is no field 'epsiodes' in SessionSpec", answer);
  }

  @Test
  void malformedEmptyAndMistypedBodiesAreToldApart() throws Exception {
    HttpResponse<String> malformed = gateway.post("/v1/simulate", "{\"target\": {,}");
    assertProblem(400, "INVALID_ARGUMENT", malformed);
    assertDetail("bad syntax at line 1 column", malformed);
    assertDetail("it ends too soon at line 1 column", gateway.post("/v1/sessions", "{\"spec\": {"));
    HttpResponse<String> empty = gateway.post("/v1/simulate", "");
    assertProblem(400, "INVALID_ARGUMENT", empty);
    assertDetail("the request body is empty", empty);
    HttpResponse<String> mistyped = gateway.post("/v1/cost-table", "{\"resource\": \"LATENZY\"}");
    assertProblem(400, "INVALID_ARGUMENT", mistyped);
    assertDetail("LATENZY", mistyped);
  }

  @Test
  void aBodyOverTheLimitIsRefused() throws Exception {
    HttpResponse<String> answer =
        gateway.post("/v1/evaluate", "{\"model\": \"" + "x".repeat(5000) + "\"}");
    assertProblem(413, "TOO_LARGE", answer);
  }

  @Test
  void anAnswerThatIsTooLongAsJsonIsRefusedByReason() throws Exception {
    HttpResponse<String> answer =
        gateway.post(
            "/v1/cost-table",
            "{\"network\": {\"name\": \"%s\"}, \"resource\": \"LATENCY\"}"
                .formatted(FakeHwsim.VAST));
    assertProblem(413, "TOO_LARGE", answer);
    assertDetail("33554432 characters", answer);
  }

  @Test
  void everyUnmatchedRouteAnswersAProblem() throws Exception {
    assertProblem(404, "NO_SUCH_RESOURCE", gateway.get("/v2/sessions"));
    assertProblem(404, "NO_SUCH_RESOURCE", gateway.get("/page/../gateway.yaml"));
    assertProblem(404, "NO_SUCH_RESOURCE", gateway.get("/v1/sessions/a/b/c"));
    HttpResponse<String> method = gateway.send(gateway.request("/v1/targets").DELETE().build());
    assertProblem(405, "METHOD_NOT_ALLOWED", method);
    assertEquals("GET", method.headers().firstValue("allow").orElseThrow());
    assertEquals("GET, POST", allow("/v1/models"));
    assertEquals("GET", allow("/v1/sessions/a/best"));
    assertEquals("GET, HEAD", allow("/page/app.js"));
  }

  @Test
  void badParametersAreNamed() throws Exception {
    assertDetail("page_size 'ten'", gateway.get("/v1/sessions?page_size=ten"));
    assertDetail("page_size '-1'", gateway.get("/v1/models?page_size=-1"));
    assertDetail("'page_size' is given 2 times", gateway.get("/v1/models?page_size=1&page_size=2"));
    assertDetail("after 'x'", gateway.get("/v1/sessions/a/events?after=x"));
  }

  @Test
  void aQueryThatCannotBeDecodedIsRefused() throws Exception {
    for (String request :
        List.of(
            "POST /v1/datasets?name=top50%",
            "GET /v1/models?page_size=%zz", "GET /v1/transfer?session_id=%")) {
      String answer = raw(request, "localhost");
      assertTrue(answer.startsWith("HTTP/1.1 400 "), answer);
      assertTrue(answer.contains("\"INVALID_ARGUMENT\""), answer);
      assertTrue(answer.contains("write a per cent sign as %25"), answer);
    }
    String path = raw("GET /v1/models/top50%", "localhost");
    assertTrue(path.startsWith("HTTP/1.1 400 "), path);
  }

  @Test
  void aGatewayOnLoopbackAnswersToTheNamesOfThisMachineAlone() throws Exception {
    for (String own : List.of("localhost:1", "127.0.0.1", "[::1]:8080", "LOCALHOST")) {
      String answer = raw("GET /healthz", own);
      assertTrue(answer.startsWith("HTTP/1.1 200 "), own + ": " + answer);
    }
    for (String foreign : List.of("evil.example:8080", "localhost.evil.example", "127.0.0.2")) {
      String answer = raw("GET /v1/sessions", foreign);
      assertTrue(answer.startsWith("HTTP/1.1 403 "), foreign + ": " + answer);
      assertTrue(answer.contains("\"FOREIGN_HOST\""), answer);
    }
    try (GatewayFixture open = new GatewayFixture(Map.of("HAQ_GATEWAY_HOST", "0.0.0.0"))) {
      String answer = raw(open.port(), "GET /healthz", "gateway.example");
      assertTrue(answer.startsWith("HTTP/1.1 200 "), answer);
    }
  }

  @Test
  void aGatewayWhoseNamesAreSetAnswersToThemAloneWhereverItListens() throws Exception {
    try (GatewayFixture named =
        new GatewayFixture(
            Map.of(
                "HAQ_GATEWAY_HOST",
                "0.0.0.0",
                "HAQ_GATEWAY_ALLOWED_HOSTS",
                "HAQ.example.org, haq_gateway_1"))) {
      for (String own : List.of("localhost:8080", "haq.example.org", "[::1]:8080", "127.0.0.1")) {
        String answer = raw(named.port(), "GET /v1/targets", own);
        assertTrue(answer.startsWith("HTTP/1.1 200 "), own + ": " + answer);
      }
      assertTrue(raw(named.port(), "GET /v1/targets", "haq_gateway_1:8080").contains(" 200 "));
      for (String foreign : List.of("evil.example:8080", "10.0.0.7:8080")) {
        String answer = raw(named.port(), "GET /v1/targets", foreign);
        assertTrue(answer.startsWith("HTTP/1.1 403 "), foreign + ": " + answer);
        assertTrue(answer.contains("haq.example.org"), answer);
        String probe = raw(named.port(), "GET /readyz", foreign);
        assertTrue(probe.startsWith("HTTP/1.1 200 "), "a kubelet asks by address: " + probe);
      }
    }
  }

  @Test
  void aGatewayWhoseNamesAreSetAnswersToTheAddressThatItListensOn() throws Exception {
    InetAddress own =
        NetworkInterface.networkInterfaces()
            .flatMap(NetworkInterface::inetAddresses)
            .filter(address -> address instanceof Inet4Address && !address.isLoopbackAddress())
            .findFirst()
            .orElse(null);
    Assumptions.assumeTrue(own != null, "this machine has no address but its loopback's");
    try (GatewayFixture named =
        new GatewayFixture(
            Map.of(
                "HAQ_GATEWAY_HOST",
                own.getHostAddress(),
                "HAQ_GATEWAY_ALLOWED_HOSTS",
                "haq.example.org"))) {
      String request = "GET /v1/targets";
      String answer = raw(own, named.port(), request, own.getHostAddress() + ":8080");
      assertTrue(answer.startsWith("HTTP/1.1 200 "), answer);
      assertTrue(raw(own, named.port(), request, "evil.example").startsWith("HTTP/1.1 403 "));
    }
  }

  /** What is answered to a request without a body that no client library would send. */
  private static String raw(String request, String host) throws IOException {
    return raw(gateway.port(), request, host);
  }

  private static String raw(int port, String request, String host) throws IOException {
    return raw(InetAddress.getLoopbackAddress(), port, request, host);
  }

  private static String raw(InetAddress address, int port, String request, String host)
      throws IOException {
    try (Socket socket = new Socket(address, port)) {
      socket.setSoTimeout(30_000);
      socket
          .getOutputStream()
          .write(
              "%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
                  .formatted(request, host)
                  .getBytes(StandardCharsets.US_ASCII));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @Test
  void aServicesOwnReasonAndFiguresReachTheCaller() throws Exception {
    gateway.agent.refuse(
        new HaqException(
            Reason.BUDGET_INFEASIBLE,
            "no policy reaches 0.01: raise the budget to at least 0.21",
            Map.of("smallest_reachable_ratio", "0.21"),
            null));
    HttpResponse<String> answer = gateway.post("/v1/sessions", "{\"spec\": {}}");
    JsonNode problem = assertProblem(422, "BUDGET_INFEASIBLE", answer);
    assertEquals("urn:haq:problem:budget-infeasible", problem.get("type").asText());
    assertEquals("Budget infeasible", problem.get("title").asText());
    assertEquals("0.21", problem.at("/details/smallest_reachable_ratio").asText());
    assertDetail("raise the budget to at least 0.21", answer);
  }

  @Test
  void reasonsHaveTheirStatus() throws Exception {
    Map<Reason, Integer> expected =
        Map.of(
            Reason.INVALID_BITS, 400,
            Reason.RESOURCE_NOT_MODELLED, 422,
            Reason.ILLEGAL_STATE, 409,
            Reason.UNKNOWN_TARGET, 404,
            Reason.REQUEST_ID_REUSED, 409,
            Reason.TOO_LARGE, 413,
            Reason.BUSY, 429,
            Reason.DISK_FULL, 507,
            Reason.DEADLINE_EXCEEDED, 504,
            Reason.INTERNAL, 500);
    for (Map.Entry<Reason, Integer> entry : expected.entrySet()) {
      gateway.agent.refuse(new HaqException(entry.getKey(), "because"));
      assertProblem(
          entry.getValue(), entry.getKey().name(), gateway.post("/v1/sessions", "{\"spec\": {}}"));
    }
  }

  @Test
  void aCallThatTakesTooLongIsGivenUp() throws Exception {
    gateway.post("/v1/evaluate", "{\"model\": \"quick\"}"); // connects
    gateway.quantizer.abandoned = new CountDownLatch(1);
    HttpResponse<String> answer = gateway.post("/v1/evaluate", "{\"model\": \"slow\"}");
    assertProblem(504, "DEADLINE_EXCEEDED", answer);
    assertTrue(gateway.quantizer.abandoned.await(10, TimeUnit.SECONDS));
  }

  @Test
  void aCallerThatLeavesCancelsTheCall() throws Exception {
    try (GatewayFixture patient = new GatewayFixture()) {
      CompletableFuture<?> answer =
          patient.http.sendAsync(
              patient
                  .request("/v1/evaluate")
                  .POST(BodyPublishers.ofString("{\"model\": \"slow\"}"))
                  .build(),
              HttpResponse.BodyHandlers.ofString());
      assertTrue(patient.quantizer.evaluating.await(20, TimeUnit.SECONDS));
      answer.cancel(true);
      assertTrue(patient.quantizer.abandoned.await(10, TimeUnit.SECONDS));
    }
  }

  @Test
  void aServiceThatIsGoneIsNamed() throws Exception {
    int closed;
    try (ServerSocket socket = new ServerSocket(0)) {
      closed = socket.getLocalPort();
    }
    String gone = "127.0.0.1:" + closed;
    try (GatewayFixture alone =
        new GatewayFixture(
            Map.of(
                "HAQ_AGENT_TARGET",
                gone,
                "HAQ_HWSIM_TARGET",
                gone,
                "HAQ_QUANTIZER_TARGET",
                gone))) {
      HttpResponse<String> answer = alone.get("/v1/sessions");
      assertProblem(503, "UNAVAILABLE", answer);
      assertDetail("the agent service does not answer", answer);
      HttpResponse<String> services = alone.get("/v1/services");
      assertEquals("UNREACHABLE", json(services).at("/services/quantizer").asText());
      assertEquals(200, alone.get("/readyz").statusCode(), "it still answers for the others");
      assertEquals(200, alone.get("/healthz").statusCode());
    }
  }

  @Test
  void anotherSitesPageMayNotChangeAnything() throws Exception {
    assertProblem(
        403,
        "CROSS_ORIGIN",
        gateway.send(
            gateway
                .request("/v1/sessions/a:cancel")
                .header("Origin", "http://evil.example")
                .POST(BodyPublishers.noBody())
                .build()));
    assertProblem(
        404,
        "UNKNOWN_SESSION",
        gateway.send(
            gateway
                .request("/v1/sessions/a:cancel")
                .header("Origin", "http://127.0.0.1:" + gateway.port())
                .POST(BodyPublishers.noBody())
                .build()));
  }

  @Test
  void aPortInUseIsNamed() {
    HaqException failure =
        assertThrows(
            HaqException.class,
            () ->
                GatewayService.start(
                    gateway.runtime(),
                    GatewayFixture.settings(
                        Map.of("HAQ_GATEWAY_PORT", Integer.toString(gateway.port())))));
    assertTrue(failure.getMessage().contains(":" + gateway.port()), failure.getMessage());
    assertTrue(failure.getMessage().contains("choose another port"), failure.getMessage());
    assertThrows(
        HaqException.class,
        () ->
            GatewayService.start(
                gateway.runtime(),
                GatewayFixture.settings(
                    Map.of(
                        "HAQ_GATEWAY_GRPC",
                        "true",
                        "HAQ_GATEWAY_GRPC_PORT",
                        Integer.toString(gateway.port())))));
  }

  private static String allow(String path) throws Exception {
    return gateway
        .send(gateway.request(path).method("PATCH", BodyPublishers.noBody()).build())
        .headers()
        .firstValue("allow")
        .orElseThrow();
  }

  private static JsonNode assertProblem(int status, String reason, HttpResponse<String> answer)
      throws Exception {
    assertEquals(status, answer.statusCode(), answer.body());
    assertEquals(
        "application/problem+json", answer.headers().firstValue("content-type").orElseThrow());
    JsonNode problem = json(answer);
    assertEquals(status, problem.get("status").asInt());
    assertEquals(reason, problem.get("reason").asText());
    assertTrue(problem.get("details").isObject());
    return problem;
  }

  private static void assertDetail(String part, HttpResponse<String> answer) throws Exception {
    String detail = json(answer).path("detail").asText();
    assertTrue(detail.contains(part), answer.body());
    assertEquals(1, detail.lines().count());
  }
}
