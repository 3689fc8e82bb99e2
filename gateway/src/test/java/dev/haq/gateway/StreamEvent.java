package dev.haq.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * One event of a stream.
 *
 * @param id empty where it has none
 */
record StreamEvent(String type, String id, JsonNode data) {
  /** All events of an answer, which must be a stream of them, to its end. */
  static List<StreamEvent> all(HttpResponse<Stream<String>> response) throws IOException {
    assertEquals(200, response.statusCode());
    assertEquals("text/event-stream", response.headers().firstValue("content-type").orElseThrow());
    try (Stream<String> lines = response.body()) {
      return parse(lines.toList());
    }
  }

  /** The events in lines that hold nothing else, each of them whole. */
  static List<StreamEvent> parse(List<String> lines) throws IOException {
    List<StreamEvent> events = new ArrayList<>();
    Map<String, String> fields = new LinkedHashMap<>();
    for (String line : lines) {
      if (line.isEmpty()) {
        assertTrue(fields.containsKey("event") && fields.containsKey("data"), lines.toString());
        events.add(
            new StreamEvent(
                fields.get("event"),
                fields.getOrDefault("id", ""),
                GatewayFixture.json(fields.get("data"))));
        fields.clear();
      } else {
        String[] field = line.split(": ", 2);
        assertEquals(null, fields.put(field[0], field[1]), line);
      }
    }
    assertEquals(Map.of(), fields, "the last event is whole");
    return events;
  }
}
