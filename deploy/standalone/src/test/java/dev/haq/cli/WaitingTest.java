package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.HaqException;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class WaitingTest {
  /** Longer than a busy machine takes to do nothing. */
  private static final Duration AFTER = Duration.ofSeconds(2);

  private final ByteArrayOutputStream result = new ByteArrayOutputStream();
  private final ByteArrayOutputStream notes = new ByteArrayOutputStream();
  private final CountDownLatch told = new CountDownLatch(1);
  private final Terminal terminal =
      new Terminal(
          new PrintStream(result, true, StandardCharsets.UTF_8),
          new PrintStream(notes, true, StandardCharsets.UTF_8) {
            @Override
            public void println(String line) {
              super.println(line);
              told.countDown();
            }
          },
          true,
          false);

  @Test
  void workThatTakesLongIsToldOnceOnStandardError() {
    boolean heard =
        Waiting.on(
            terminal,
            "preparing ...",
            Duration.ofMillis(1),
            () -> {
              try {
                return told.await(30, TimeUnit.SECONDS);
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });
    assertTrue(heard, "nothing was told while the work went on");
    assertEquals("preparing ..." + System.lineSeparator(), notes.toString(StandardCharsets.UTF_8));
    assertEquals("", result.toString(StandardCharsets.UTF_8));
  }

  @Test
  void workThatIsSoonDoneOrFailsIsNotTold() {
    assertEquals(7, Waiting.on(terminal, "preparing ...", AFTER, () -> 7));
    HaqException failure = HaqException.invalid("no");
    assertEquals(
        failure,
        assertThrows(
            HaqException.class,
            () ->
                Waiting.on(
                    terminal,
                    "preparing ...",
                    AFTER,
                    () -> {
                      throw failure;
                    })));
    // Told later than the others would have been, had their work not been done.
    Waiting.on(
        terminal,
        "the last",
        AFTER,
        () -> {
          try {
            return told.await(30, TimeUnit.SECONDS);
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
        });
    assertEquals("the last" + System.lineSeparator(), notes.toString(StandardCharsets.UTF_8));
  }
}
