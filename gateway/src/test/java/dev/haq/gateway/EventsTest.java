package dev.haq.gateway;

import static dev.haq.gateway.GatewayFixture.json;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.agent.v1.Episode;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionState;
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
final class EventsTest {
  private static final Session RUNNING =
      Session.newBuilder().setId("run").setState(SessionState.RUNNING).build();
  private static final Session DONE = RUNNING.toBuilder().setState(SessionState.SUCCEEDED).build();

  private static final int MANY = 200;

  private GatewayFixture gateway;

  @BeforeEach
  void start() {
    gateway = new GatewayFixture();
    gateway.agent.sessions.put("run", RUNNING);
  }

  @AfterEach
  void stop() {
    gateway.close();
  }

  @Test
  void everyEpisodeComesOnceAndInOrderAndTheStreamEnds() throws Exception {
    CompletableFuture<HttpResponse<Stream<String>>> opening = open("/events", null);
    FakeAgent.Watch watch = gateway.agent.nextWatch();
    assertEquals(0, watch.request().getAfterEpisode());
    watch.snapshot(RUNNING);
    for (int number = 1; number <= 200; number++) {
      watch.episode(episode(number));
    }
    watch.state(DONE);
    watch.out().end();
    HttpResponse<Stream<String>> response = opening.get(20, TimeUnit.SECONDS);
    assertEquals("text/event-stream", response.headers().firstValue("content-type").orElseThrow());
    List<String> lines = response.body().toList();
    assertEquals("retry: 1000", lines.get(0));
    List<StreamEvent> events = StreamEvent.parse(lines.subList(2, lines.size()));
    assertEquals(1 + 200 + 1, events.size());
    assertEquals("snapshot", events.get(0).type());
    assertEquals("run", events.get(0).data().get("id").asText());
    for (int number = 1; number <= 200; number++) {
      StreamEvent event = events.get(number);
      assertEquals("episode", event.type());
      assertEquals(Integer.toString(number), event.id());
      assertEquals(number, event.data().get("number").asInt());
    }
    assertEquals("state", events.get(201).type());
    assertEquals("SUCCEEDED", events.get(201).data().get("state").asText());
  }

  @Test
  void aReaderThatComesBackStartsWhereItLeft() throws Exception {
    assertEquals(17, afterOf("/events", "17"));
    assertEquals(5, afterOf("/events?after=5", null));
    assertEquals(9, afterOf("/events?after=5", "9"), "the header goes first");
  }

  @Test
  void silenceIsBrokenByComments() throws Exception {
    try (GatewayFixture lively = new GatewayFixture(Map.of("HAQ_GATEWAY_HEARTBEAT_MILLIS", "20"))) {
      lively.agent.sessions.put("run", RUNNING);
      HttpResponse<Stream<String>> response =
          lively.http.send(
              lively.request("/v1/sessions/run/events").build(), BodyHandlers.ofLines());
      try (Stream<String> lines = response.body()) {
        assertEquals(3, lines.filter(": heartbeat"::equals).limit(3).count());
      }
    }
  }

  @Test
  void aReaderThatLeavesCancelsTheCall() throws Exception {
    CompletableFuture<HttpResponse<Stream<String>>> opening = open("/events", null);
    FakeAgent.Watch watch = gateway.agent.nextWatch();
    watch.snapshot(RUNNING);
    try (Stream<String> lines = opening.get(20, TimeUnit.SECONDS).body()) {
      assertEquals("retry: 1000", lines.iterator().next());
    }
    assertTrue(watch.left().await(10, TimeUnit.SECONDS));
  }

  @Test
  void anUnknownSessionIsAProblemNotAStream() throws Exception {
    HttpResponse<String> answer = gateway.get("/v1/sessions/nobody/events");
    assertEquals(404, answer.statusCode());
    assertEquals("UNKNOWN_SESSION", json(answer).get("reason").asText());
  }

  @Test
  void anAgentThatDiesEndsTheStreamSoThatTheReaderComesBack() throws Exception {
    CompletableFuture<HttpResponse<Stream<String>>> opening = open("/events", null);
    FakeAgent.Watch watch = gateway.agent.nextWatch();
    watch.snapshot(RUNNING);
    watch.episode(episode(1));
    HttpResponse<Stream<String>> response = opening.get(20, TimeUnit.SECONDS);
    Iterator<String> lines = response.body().iterator();
    List<String> read = new ArrayList<>();
    while (!read.contains("id: 1")) {
      read.add(lines.next());
    }
    watch.out().fail(new HaqException(Reason.UNAVAILABLE, "the agent stops"));
    lines.forEachRemaining(read::add);
    assertEquals(200, response.statusCode());
    assertEquals("", read.get(read.size() - 1), "the last event is whole");
    assertEquals(1, afterOf("/events", "1"));
  }

  @Test
  void aSlowReaderHoldsTheAgentBackAndLosesNothing() throws Exception {
    CompletableFuture<HttpResponse<InputStream>> opening =
        gateway.http.sendAsync(request("/events", null), BodyHandlers.ofInputStream());
    FakeAgent.Watch watch = gateway.agent.nextWatch();
    fill(watch);
    watch.out().end();
    HttpResponse<InputStream> response = opening.get(20, TimeUnit.SECONDS);
    List<String> ids;
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
      ids = lines.lines().filter(line -> line.startsWith("id: ")).toList();
    }
    List<String> expected = new ArrayList<>();
    for (int number = 1; number <= MANY; number++) {
      expected.add("id: " + number);
    }
    assertEquals(expected, ids);
  }

  @Test
  void aSlowReaderThatLeavesCancelsTheCallToo() throws Exception {
    CompletableFuture<HttpResponse<InputStream>> opening =
        gateway.http.sendAsync(request("/events", null), BodyHandlers.ofInputStream());
    FakeAgent.Watch watch = gateway.agent.nextWatch();
    fill(watch);
    opening.get(20, TimeUnit.SECONDS).body().close();
    assertTrue(watch.left().await(10, TimeUnit.SECONDS));
  }

  @Test
  void stoppingTheGatewayEndsTheStreams() throws Exception {
    CompletableFuture<HttpResponse<Stream<String>>> opening = open("/events", null);
    FakeAgent.Watch watch = gateway.agent.nextWatch();
    watch.snapshot(RUNNING);
    HttpResponse<Stream<String>> response = opening.get(20, TimeUnit.SECONDS);
    long before = System.nanoTime();
    gateway.gateway().close();
    assertTrue(System.nanoTime() - before < TimeUnit.SECONDS.toNanos(8), "no waiting for timeouts");
    assertEquals("event: snapshot", response.body().toList().get(2));
    assertTrue(watch.left().await(10, TimeUnit.SECONDS));
  }

  /** Sends 50 MB that nobody reads yet, and returns once they are held back. */
  private static void fill(FakeAgent.Watch watch) {
    Session big = RUNNING.toBuilder().setError("x".repeat(1 << 18)).build();
    for (int number = 1; number <= MANY; number++) {
      watch.snapshot(big);
      watch.episode(episode(number));
    }
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (!watch.out().isFull() && System.nanoTime() < deadline) {
      Thread.onSpinWait();
    }
    assertTrue(watch.out().isFull(), "what nobody reads must not pile up in the gateway");
  }

  /** What the agent is asked for when a stream is opened so. */
  private int afterOf(String path, String lastEventId) throws Exception {
    CompletableFuture<HttpResponse<Stream<String>>> opening = open(path, lastEventId);
    FakeAgent.Watch watch = gateway.agent.nextWatch();
    watch.snapshot(DONE);
    watch.out().end();
    assertEquals(200, opening.get(20, TimeUnit.SECONDS).statusCode());
    return watch.request().getAfterEpisode();
  }

  private CompletableFuture<HttpResponse<Stream<String>>> open(String path, String lastEventId) {
    return gateway.http.sendAsync(request(path, lastEventId), BodyHandlers.ofLines());
  }

  private HttpRequest request(String path, String lastEventId) {
    HttpRequest.Builder request = gateway.request("/v1/sessions/run" + path);
    if (lastEventId != null) {
      request.header("Last-Event-ID", lastEventId);
    }
    return request.build();
  }

  private static Episode episode(int number) {
    return Episode.newBuilder().setNumber(number).setReward(-1.0 / number).build();
  }
}
