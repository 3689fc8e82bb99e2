package dev.haq.gateway;

import static dev.haq.gateway.GatewayFixture.json;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class FineTuningTest {
  private GatewayFixture gateway;

  @BeforeEach
  void start() {
    gateway = new GatewayFixture();
  }

  @AfterEach
  void stop() {
    gateway.close();
  }

  private HttpResponse<Stream<String>> open(String model) throws Exception {
    return gateway.http.send(
        gateway
            .request("/v1/fine-tune")
            .POST(BodyPublishers.ofString("{\"model\": \"%s\"}".formatted(model)))
            .build(),
        BodyHandlers.ofLines());
  }

  @Test
  void progressAndTheResultComeAsEvents() throws Exception {
    List<String> lines = open("any").body().toList();
    assertEquals("event: progress", lines.get(0));
    assertEquals(0.5, json(lines.get(1).substring(6)).get("loss").asDouble());
    assertEquals("event: result", lines.get(3));
    assertEquals("tuned", json(lines.get(4).substring(6)).get("model").get("id").asText());
    assertEquals(6, lines.size());
  }

  @Test
  void aReaderThatLeavesStopsTheTraining() throws Exception {
    try (Stream<String> lines = open("endless").body()) {
      assertEquals("event: progress", lines.iterator().next());
    }
    assertTrue(gateway.quantizer.abandoned.await(20, TimeUnit.SECONDS));
  }

  @Test
  void aModelsFileIsDownloadedWhole() throws Exception {
    HttpResponse<String> file =
        gateway.http.send(
            gateway.request("/v1/models/any/onnx").GET().build(), BodyHandlers.ofString());
    assertEquals("onnx", file.body());
    assertEquals("4", file.headers().firstValue("content-length").orElseThrow());
    HttpResponse<String> unknown =
        gateway.http.send(
            gateway.request("/v1/models/sha256:0/onnx").GET().build(), BodyHandlers.ofString());
    assertEquals(404, unknown.statusCode());
  }
}
