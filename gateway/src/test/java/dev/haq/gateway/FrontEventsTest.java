package dev.haq.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

final class FrontEventsTest extends MeasuringStreamContract {
  @Override
  String path() {
    return "/v1/front";
  }

  @Override
  String request(String model) {
    return "{\"model\": \"%s\", \"resource\": \"LATENCY\", \"max_points\": 2}".formatted(model);
  }

  @Override
  String first() {
    return "preparation";
  }

  @Override
  CountDownLatch left() {
    return gateway.agent.frontLeft;
  }

  @Test
  void howFarItIsAndTheFrontComeAsEventsAndTheStreamEnds() throws Exception {
    List<StreamEvent> events = StreamEvent.all(open("any"));
    assertEquals(List.of("preparation", "front"), events.stream().map(StreamEvent::type).toList());
    assertEquals(14, events.get(0).data().get("to_measure").asInt());
    JsonNode points = events.get(1).data().get("points");
    assertEquals(0.25, points.at("/0/cost_ratio").asDouble());
    assertEquals(0, points.at("/1/divergence").asDouble(-1), "fields at their default are there");
  }
}
