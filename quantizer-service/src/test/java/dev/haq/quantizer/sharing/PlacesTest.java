package dev.haq.quantizer.sharing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
final class PlacesTest {
  private final Places places = new Places(2);

  PlacesTest() {
    places.enter(() -> false);
    places.enter(() -> false);
  }

  @Test
  void oneMoreThanThereAreWaitsForAPlace() throws Exception {
    CompletableFuture<Void> third = CompletableFuture.runAsync(() -> places.enter(() -> false));
    TimeUnit.MILLISECONDS.sleep(200);
    assertFalse(third.isDone());
    places.leave();
    third.get(10, TimeUnit.SECONDS);
  }

  @Test
  void whoFindsTheLineFullIsToldToComeBack() throws Exception {
    Line line = new Line(1, "tests wait");
    CompletableFuture<Void> third =
        CompletableFuture.runAsync(() -> places.enter(line, () -> false));
    while (true) {
      try {
        line.hold(() -> true);
        TimeUnit.MILLISECONDS.sleep(5);
      } catch (HaqException full) {
        assertEquals(Reason.BUSY, full.reason());
        break;
      }
    }
    HaqException busy = assertThrows(HaqException.class, () -> places.enter(line, () -> false));
    assertEquals(Reason.BUSY, busy.reason());
    assertEquals(
        "1 tests wait already: try again later, or use another replica", busy.getMessage());
    places.leave();
    third.get(10, TimeUnit.SECONDS);
    places.leave();
    places.enter(line, () -> true); // nothing to wait for
  }

  @Test
  void oneWhoWaitsCanLeave() {
    HaqException left = assertThrows(HaqException.class, () -> places.enter(() -> true));
    assertEquals(Reason.CANCELLED, left.reason());
  }
}
