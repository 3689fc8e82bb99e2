package dev.haq.gateway;

import static dev.haq.gateway.GatewayFixture.json;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class SensitivityEventsTest {
  private GatewayFixture gateway;

  @BeforeEach
  void start() {
    gateway = new GatewayFixture(settings -> settings);
  }

  @AfterEach
  void stop() {
    gateway.close();
  }

  private HttpResponse<Stream<String>> open(String model) throws Exception {
    String body = "{\"model\": \"%s\", \"weight_bits\": {\"bits\": [2, 4]}}".formatted(model);
    return gateway.http.send(
        gateway.request("/v1/sensitivity").POST(BodyPublishers.ofString(body)).build(),
        BodyHandlers.ofLines());
  }

  @Test
  void entriesComeAsEventsAndTheStreamEnds() throws Exception {
    HttpResponse<Stream<String>> response = open("any");
    assertEquals("text/event-stream", response.headers().firstValue("content-type").orElseThrow());
    List<String> lines = response.body().toList();
    assertEquals(9, lines.size());
    assertEquals("event: start", lines.get(0));
    assertEquals(2, json(lines.get(1).substring(6)).get("entries").asInt());
    for (int entry = 1; entry <= 2; entry++) {
      assertEquals("event: entry", lines.get(3 * entry));
      assertEquals(2 * entry, json(lines.get(3 * entry + 1).substring(6)).get("bits").asInt());
      assertEquals(entry, json(lines.get(3 * entry + 1).substring(6)).get("done").asInt());
      assertEquals("", lines.get(3 * entry + 2));
    }
  }

  @Test
  void aStreamThatEndsEarlySaysWhy() throws Exception {
    List<String> lines = open("cut").body().toList();
    assertEquals("event: error", lines.get(6));
    assertEquals("BUSY", json(lines.get(7).substring(6)).get("reason").asText());
    assertEquals(9, lines.size());
  }

  @Test
  void whatIsRefusedAtOnceIsAProblemNotAStream() throws Exception {
    HttpResponse<Stream<String>> unknown = open("sha256:0");
    assertEquals(404, unknown.statusCode());
    assertEquals(
        "UNKNOWN_MODEL", json(String.join("", unknown.body().toList())).get("reason").asText());
    HttpResponse<String> wrong = gateway.post("/v1/sensitivity", "{\"modle\": \"any\"}");
    assertEquals(400, wrong.statusCode());
    assertTrue(json(wrong).get("detail").asText().contains("modle"));
  }

  @Test
  void aReaderThatLeavesStopsTheMeasurement() throws Exception {
    try (Stream<String> lines = open("endless").body()) {
      Iterator<String> read = lines.iterator();
      assertEquals("event: start", read.next());
    }
    assertTrue(gateway.quantizer.abandoned.await(20, TimeUnit.SECONDS));
  }
}
