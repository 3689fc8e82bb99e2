package dev.haq.gateway;

import static dev.haq.gateway.GatewayFixture.json;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.haq.proto.agent.v1.CreateSessionRequest;
import dev.haq.proto.agent.v1.Episode;
import dev.haq.proto.agent.v1.ListEpisodesRequest;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionState;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
final class RoutesTest {
  private static GatewayFixture gateway;

  @BeforeAll
  static void start() {
    gateway = new GatewayFixture();
  }

  @AfterAll
  static void stop() {
    gateway.close();
  }

  @Test
  void targetsAreListedAndFoundByName() throws Exception {
    HttpResponse<String> all = gateway.get("/v1/targets");
    assertEquals(200, all.statusCode());
    assertEquals("application/json", all.headers().firstValue("content-type").orElseThrow());
    assertEquals("bismo-edge", json(all).at("/targets/0/name").asText());
    assertEquals(1e8, json(gateway.get("/v1/targets/bismo-edge")).get("clock_hz").asDouble());
  }

  @Test
  void modelsAreListedAndFoundByIdWhateverTheColon() throws Exception {
    assertEquals("builtin:shapes", json(gateway.get("/v1/models")).at("/models/0/id").asText());
    assertEquals(
        "builtin:shapes", json(gateway.get("/v1/models/builtin:shapes")).get("id").asText());
    assertEquals(
        "builtin:shapes", json(gateway.get("/v1/models/builtin%3Ashapes")).get("id").asText());
  }

  @Test
  void datasetsAreListedPageByPage() throws Exception {
    JsonNode page = json(gateway.get("/v1/datasets?page_size=7&page_token=a%2Fb"));
    assertEquals("a/b+7", page.get("next_page_token").asText());
  }

  @Test
  void modelsAndDatasetsAreDeletedByTheirAddress() throws Exception {
    assertEquals(
        "builtin:shapes", json(gateway.get("/v1/datasets/builtin:shapes")).get("id").asText());
    for (String path : new String[] {"/v1/models/sha256:m", "/v1/datasets/sha256%3Ad"}) {
      HttpResponse<String> deleted = gateway.send(gateway.request(path).DELETE().build());
      assertEquals(204, deleted.statusCode(), deleted.body());
      assertEquals("", deleted.body());
    }
    assertEquals(List.of("sha256:m", "sha256:d"), gateway.quantizer.deleted);
    HttpResponse<String> builtin =
        gateway.send(gateway.request("/v1/models/builtin:shapes").DELETE().build());
    assertEquals(400, builtin.statusCode());
    HttpResponse<String> all = gateway.send(gateway.request("/v1/models").DELETE().build());
    assertEquals(405, all.statusCode());
    assertEquals("GET, POST", all.headers().firstValue("allow").orElseThrow());
  }

  @Test
  void simulatingEvaluatingAndTablesTakeTheirMessagesAsJson() throws Exception {
    JsonNode cost =
        json(
            gateway.post(
                "/v1/simulate",
                """
                {"target": {"name": "bismo-edge"}, "network": {"layers": [{"name": "a"}, {"name": "b"}]}}
                """));
    assertEquals(2, cost.at("/total/cycles").asInt());
    JsonNode described =
        json(gateway.post("/v1/describe-target", "{\"target\": {\"name\": \"bismo-edge\"}}"));
    assertEquals("bismo-edge", described.get("name").asText());
    JsonNode table =
        json(
            gateway.post(
                "/v1/cost-table",
                "{\"target\": {\"name\": \"bismo-edge\"}, \"resource\": \"ENERGY\"}"));
    assertEquals("ENERGY", table.at("/table/resource").asText());
    JsonNode accuracy = json(gateway.post("/v1/evaluate", "{\"model\": \"builtin:shapes\"}"));
    assertEquals(91.5, accuracy.at("/accuracy/top1").asDouble());
    assertEquals(915, accuracy.at("/accuracy/top1_correct").asInt());
    assertFalse(accuracy.get("cached").asBoolean(), "fields at their default are there too");
  }

  @Test
  void aCreatedSessionHasAnAddressAndAnIdempotentRequest() throws Exception {
    gateway.agent.created.clear();
    HttpResponse<String> created =
        gateway.post("/v1/sessions", "{\"spec\": {\"name\": \"first\", \"seed\": \"1\"}}");
    assertEquals(201, created.statusCode());
    String id = json(created).get("id").asText();
    assertEquals("/v1/sessions/" + id, created.headers().firstValue("location").orElseThrow());
    CreateSessionRequest request = gateway.agent.created.remove();
    assertEquals(1, request.getSpec().getSeed());
    assertFalse(request.getRequestId().isEmpty(), "a retry must not create a second session");
    gateway.post("/v1/sessions", "{\"spec\": {}, \"request_id\": \"mine\"}");
    assertEquals("mine", gateway.agent.created.remove().getRequestId());
    assertEquals("first", json(gateway.get("/v1/sessions/" + id)).at("/spec/name").asText());
  }

  @Test
  void frontsAndTransferAreAskedForByTheirSessions() throws Exception {
    put("listed", SessionState.RUNNING);
    assertEquals(200, gateway.get("/v1/sessions/listed/front").statusCode());
    assertEquals(404, gateway.get("/v1/sessions/none/front").statusCode());
    JsonNode transfer = json(gateway.get("/v1/transfer?session_id=a&session_id=b"));
    assertEquals("a", transfer.get("rows").get(0).get("session_id").asText());
    assertEquals("b", transfer.get("rows").get(1).get("session_id").asText());
  }

  @Test
  void sessionsAndEpisodesAreListedPageByPage() throws Exception {
    put("listed", SessionState.RUNNING);
    gateway.agent.listed.clear();
    JsonNode sessions = json(gateway.get("/v1/sessions?page_size=3&page_token=t"));
    assertTrue(sessions.get("sessions").size() >= 1);
    assertEquals(3, gateway.agent.listed.remove().getPageSize());
    JsonNode episodes = json(gateway.get("/v1/sessions/listed/episodes?page_size=9&page_token=x"));
    assertEquals("2", episodes.get("next_page_token").asText());
    ListEpisodesRequest asked = gateway.agent.episodesListed.remove();
    assertEquals("listed", asked.getSessionId());
    assertEquals(9, asked.getPageSize());
    assertEquals("x", asked.getPageToken());
  }

  @Test
  void theBestEpisodeIsMissingUntilThereIsOne() throws Exception {
    put("young", SessionState.RUNNING);
    HttpResponse<String> none = gateway.get("/v1/sessions/young/best");
    assertEquals(404, none.statusCode());
    assertEquals("UNKNOWN_EPISODE", json(none).get("reason").asText());
    Session known =
        Session.newBuilder()
            .setId("known")
            .setBest(Episode.newBuilder().setNumber(7).setReward(-0.25))
            .build();
    gateway.agent.sessions.put("known", known);
    assertEquals(7, json(gateway.get("/v1/sessions/known/best")).get("number").asInt());
  }

  @Test
  void aSessionIsPausedResumedStoppedAndCancelled() throws Exception {
    put("moved", SessionState.RUNNING);
    for (Map.Entry<String, String> step :
        Map.of("pause", "PAUSED", "resume", "QUEUED", "stop", "STOPPING", "cancel", "CANCELLED")
            .entrySet()) {
      HttpResponse<String> answer = gateway.post("/v1/sessions/moved:" + step.getKey(), "");
      assertEquals(200, answer.statusCode(), answer.body());
      assertEquals(step.getValue(), json(answer).get("state").asText());
    }
    HttpResponse<String> unknown = gateway.post("/v1/sessions/moved:explode", "");
    assertEquals(404, unknown.statusCode());
    assertTrue(unknown.body().contains("cancel, extend, pause, resume, stop"), unknown.body());
  }

  @Test
  void aSessionIsExtendedAndDeletedByTheEtagItWasReadWith() throws Exception {
    gateway.agent.sessions.put("tagged", Session.newBuilder().setId("tagged").setEtag("5").build());
    HttpResponse<String> extended =
        gateway.send(
            gateway
                .request("/v1/sessions/tagged:extend")
                .header("If-Match", "\"5\"")
                .POST(BodyPublishers.ofString("{\"episodes\": 300}"))
                .build());
    assertEquals(200, extended.statusCode(), extended.body());
    assertEquals(300, json(extended).get("episodes_total").asInt());

    HttpResponse<String> late =
        gateway.send(
            gateway.request("/v1/sessions/tagged").header("If-Match", "\"4\"").DELETE().build());
    assertEquals(412, late.statusCode(), late.body());
    assertEquals("SESSION_CHANGED", json(late).get("reason").asText());

    HttpResponse<String> deleted =
        gateway.send(gateway.request("/v1/sessions/tagged").DELETE().build());
    assertEquals(204, deleted.statusCode(), deleted.body());
    assertEquals(404, gateway.get("/v1/sessions/tagged").statusCode());
  }

  @Test
  void healthReadinessAndMetricsAreThere() throws Exception {
    assertEquals(200, gateway.get("/healthz").statusCode());
    assertEquals("ready\n", gateway.get("/readyz").body());
    HttpResponse<String> services = gateway.get("/v1/services");
    assertEquals(200, services.statusCode(), services.body());
    assertEquals("SERVING", json(services).at("/services/agent").asText());
    assertTrue(gateway.get("/metrics").body().contains("haq_gateway_event_streams"));
  }

  @Test
  void metricsTellRoutesApartAndNotWhatCallersInvent() throws Exception {
    gateway.get("/healthz");
    gateway.get("/v1/targets/bismo-edge");
    gateway.get("/v1/targets/none-of-this-name");
    gateway.send(
        gateway.request("/v1/targets").method("INVENTED", BodyPublishers.noBody()).build());
    String metrics = gateway.get("/metrics").body();
    assertTrue(metrics.contains("route=\"/healthz\""), metrics);
    assertTrue(metrics.contains("route=\"/v1/targets/:name\""), metrics);
    assertTrue(metrics.contains("method=\"OTHER\""), metrics);
    assertFalse(metrics.contains("none-of-this-name") || metrics.contains("INVENTED"), metrics);
  }

  @Test
  void thePageLoadsOnlyItsOwnFiles() throws Exception {
    HttpResponse<String> page = gateway.get("/");
    assertEquals(200, page.statusCode());
    String policy = page.headers().firstValue("content-security-policy").orElseThrow();
    assertTrue(policy.contains("default-src 'none'") && !policy.contains("unsafe"), policy);
    for (String path :
        new String[] {
          "/page/app.js", "/page/api.js", "/page/list.js", "/page/detail.js", "/page/chart.js",
          "/page/bits.js", "/page/text.js", "/page/style.css", "/page/icon.svg", "/lib/uplot.js",
          "/lib/uplot.css"
        }) {
      HttpResponse<String> file = gateway.get(path);
      assertEquals(200, file.statusCode(), path);
      String tag = file.headers().firstValue("etag").orElseThrow();
      assertEquals(
          304,
          gateway.send(gateway.request(path).header("If-None-Match", tag).build()).statusCode());
    }
  }

  private static void put(String id, SessionState state) {
    gateway.agent.sessions.put(id, Session.newBuilder().setId(id).setState(state).build());
  }
}
