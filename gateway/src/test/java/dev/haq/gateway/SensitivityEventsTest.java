package dev.haq.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

final class SensitivityEventsTest extends MeasuringStreamContract {
  @Override
  String path() {
    return "/v1/sensitivity";
  }

  @Override
  String request(String model) {
    return "{\"model\": \"%s\", \"weight_bits\": {\"bits\": [2, 4]}}".formatted(model);
  }

  @Override
  String first() {
    return "start";
  }

  @Override
  CountDownLatch left() {
    return gateway.quantizer.abandoned;
  }

  @Test
  void entriesComeAsEventsAndTheStreamEnds() throws Exception {
    List<StreamEvent> events = StreamEvent.all(open("any"));
    assertEquals(
        List.of("start", "entry", "entry"), events.stream().map(StreamEvent::type).toList());
    assertEquals(2, events.get(0).data().get("entries").asInt());
    for (int entry = 1; entry <= 2; entry++) {
      assertEquals(2 * entry, events.get(entry).data().get("bits").asInt());
      assertEquals(entry, events.get(entry).data().get("done").asInt());
    }
  }
}
