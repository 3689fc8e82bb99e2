package dev.haq.quantizer.sharing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
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

  private static boolean saysNo(CountDownLatch asked) {
    asked.countDown();
    return false;
  }

  @Test
  void oneMoreThanThereAreWaitsForAPlace() throws Exception {
    CountDownLatch asked = new CountDownLatch(1); // only who waits is asked whether he still does
    CompletableFuture<Void> third =
        CompletableFuture.runAsync(() -> places.enter(() -> saysNo(asked)));
    asked.await();
    assertFalse(third.isDone());
    places.leave();
    third.get(10, TimeUnit.SECONDS);
  }

  @Test
  void whoFindsTheLineFullIsToldToComeBack() throws Exception {
    Line line = new Line(1, "tests wait");
    CountDownLatch asked = new CountDownLatch(1);
    CompletableFuture<Void> third =
        CompletableFuture.runAsync(() -> places.enter(line, () -> saysNo(asked)));
    asked.await();
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
