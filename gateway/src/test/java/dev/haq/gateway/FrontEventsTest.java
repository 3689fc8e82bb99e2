package dev.haq.gateway;

import static dev.haq.gateway.GatewayFixture.json;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class FrontEventsTest {
  private static GatewayFixture gateway;

  @BeforeAll
  static void start() {
    gateway = new GatewayFixture(settings -> settings);
  }

  @AfterAll
  static void stop() {
    gateway.close();
  }

  private static HttpResponse<Stream<String>> open(String model) throws Exception {
    String body =
        "{\"model\": \"%s\", \"resource\": \"LATENCY\", \"max_points\": 2}".formatted(model);
    return gateway.http.send(
        gateway.request("/v1/front").POST(BodyPublishers.ofString(body)).build(),
        BodyHandlers.ofLines());
  }

  @Test
  void howFarItIsAndTheFrontComeAsEventsAndTheStreamEnds() throws Exception {
    HttpResponse<Stream<String>> response = open("any");
    assertEquals("text/event-stream", response.headers().firstValue("content-type").orElseThrow());
    List<String> lines = response.body().toList();
    assertEquals(6, lines.size());
    assertEquals("event: preparation", lines.get(0));
    assertEquals(14, json(lines.get(1).substring(6)).get("to_measure").asInt());
    assertEquals("event: front", lines.get(3));
    JsonNode points = json(lines.get(4).substring(6)).get("points");
    assertEquals(0.25, points.at("/0/cost_ratio").asDouble());
    assertEquals(0, points.at("/1/divergence").asDouble(-1), "fields at their default are there");
  }

  @Test
  void aStreamThatEndsEarlySaysWhy() throws Exception {
    List<String> lines = open("cut").body().toList();
    assertEquals("event: error", lines.get(3));
    assertEquals("BUSY", json(lines.get(4).substring(6)).get("reason").asText());
    assertEquals(6, lines.size());
  }

  @Test
  void whatIsRefusedAtOnceIsAProblemNotAStream() throws Exception {
    HttpResponse<Stream<String>> unknown = open("sha256:0");
    assertEquals(404, unknown.statusCode());
    assertEquals(
        "UNKNOWN_MODEL", json(String.join("", unknown.body().toList())).get("reason").asText());
    HttpResponse<String> wrong = gateway.post("/v1/front", "{\"budget\": {\"ratio\": 0.5}}");
    assertEquals(400, wrong.statusCode());
    assertTrue(json(wrong).get("detail").asText().contains("'budget'"));
  }

  @Test
  void aReaderThatLeavesStopsTheMeasuring() throws Exception {
    try (Stream<String> lines = open("endless").body()) {
      Iterator<String> read = lines.iterator();
      assertEquals("event: preparation", read.next());
    }
    assertTrue(gateway.agent.frontLeft.await(20, TimeUnit.SECONDS));
  }
}
