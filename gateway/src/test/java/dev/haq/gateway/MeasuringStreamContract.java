package dev.haq.gateway;

import static dev.haq.gateway.GatewayFixture.json;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What every stream holds to that is answered to a POST while a service measures. */
@Timeout(60)
abstract class MeasuringStreamContract {
  GatewayFixture gateway;

  @BeforeEach
  void start() {
    gateway = new GatewayFixture();
  }

  @AfterEach
  void stop() {
    gateway.close();
  }

  abstract String path();

  /** A request in JSON that is right. */
  abstract String request(String model);

  /** The first event of every stream. */
  abstract String first();

  /** Counted down when the service's caller has left. */
  abstract CountDownLatch left();

  final HttpResponse<Stream<String>> open(String model) throws IOException, InterruptedException {
    return gateway.http.send(
        gateway.request(path()).POST(BodyPublishers.ofString(request(model))).build(),
        BodyHandlers.ofLines());
  }

  @Test
  void aStreamThatEndsEarlySaysWhy() throws Exception {
    List<StreamEvent> cut = StreamEvent.all(open("cut"));
    List<StreamEvent> whole = StreamEvent.all(open("any"));
    int last = whole.size() - 1;
    assertEquals(whole.subList(0, last), cut.subList(0, last));
    assertEquals(whole.size(), cut.size());
    assertEquals("error", cut.get(last).type());
    assertEquals("BUSY", cut.get(last).data().get("reason").asText());
  }

  @Test
  void whatIsRefusedAtOnceIsAProblemNotAStream() throws Exception {
    HttpResponse<Stream<String>> unknown = open("sha256:0");
    assertEquals(404, unknown.statusCode());
    assertEquals(
        "UNKNOWN_MODEL", json(String.join("", unknown.body().toList())).get("reason").asText());
    HttpResponse<String> wrong = gateway.post(path(), "{\"modle\": \"any\"}");
    assertEquals(400, wrong.statusCode());
    assertTrue(json(wrong).get("detail").asText().contains("'modle'"), wrong.body());
  }

  @Test
  void aReaderThatLeavesStopsTheMeasuring() throws Exception {
    try (Stream<String> lines = open("endless").body()) {
      Iterator<String> read = lines.iterator();
      assertEquals("event: " + first(), read.next());
      assertEquals(1, left().getCount(), "nobody has left yet");
    }
    assertTrue(left().await(20, TimeUnit.SECONDS));
  }
}
