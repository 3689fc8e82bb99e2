package dev.haq.quantizer.sharing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
final class MadeOnceTest {
  private final MadeOnce<String, String> made = new MadeOnce<>(4);
  private final CountDownLatch begun = new CountDownLatch(1);
  private final CountDownLatch go = new CountDownLatch(1);

  /** Begins to make something and waits in the middle. */
  private CompletableFuture<String> slow(String key, String value) {
    return CompletableFuture.supplyAsync(
        () ->
            made.get(
                key,
                () -> {
                  begun.countDown();
                  await(go);
                  return value;
                },
                () -> false));
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void thoseWhoWantSomethingElseDoNotWait() throws Exception {
    CompletableFuture<String> slow = slow("a", "made");
    begun.await();
    assertEquals("other", made.get("b", () -> "other", () -> false));
    go.countDown();
    assertEquals("made", slow.get(10, TimeUnit.SECONDS));
  }

  @Test
  void thoseWhoWantTheSameGetWhatOneMade() throws Exception {
    AtomicInteger again = new AtomicInteger();
    CompletableFuture<String> slow = slow("a", "made");
    begun.await();
    CompletableFuture<String> second =
        CompletableFuture.supplyAsync(
            () -> made.get("a", () -> "again" + again.incrementAndGet(), () -> false));
    go.countDown();
    assertEquals("made", slow.get(10, TimeUnit.SECONDS));
    assertEquals("made", second.get(10, TimeUnit.SECONDS));
    assertEquals(0, again.get());
  }

  @Test
  void oneWhoWaitsCanLeave() throws Exception {
    CompletableFuture<String> slow = slow("a", "made");
    begun.await();
    HaqException left =
        assertThrows(HaqException.class, () -> made.get("a", () -> "again", () -> true));
    assertEquals(Reason.CANCELLED, left.reason());
    go.countDown();
    assertEquals("made", slow.get(10, TimeUnit.SECONDS));
  }

  @Test
  void whatFailedIsMadeByTheNext() {
    assertThrows(
        IllegalStateException.class,
        () ->
            made.get(
                "a",
                () -> {
                  throw new IllegalStateException("failed");
                },
                () -> false));
    assertEquals("made", made.get("a", () -> "made", () -> false));
  }
}
