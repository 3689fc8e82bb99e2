package dev.haq.cli;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** Tells what is being done when it takes long and the service says nothing meanwhile. */
final class Waiting {
  /** Whoever waits longer wonders. */
  private static final Duration PATIENCE = Duration.ofSeconds(3);

  private Waiting() {}

  /**
   * Does some work.
   *
   * @param what it is, a line for standard error when the work takes more than a few seconds
   */
  static <T> T on(Terminal terminal, String what, Supplier<T> work) {
    return on(terminal, what, PATIENCE, work);
  }

  static <T> T on(Terminal terminal, String what, Duration patience, Supplier<T> work) {
    CompletableFuture<Void> note =
        CompletableFuture.runAsync(
            () -> terminal.note(what),
            CompletableFuture.delayedExecutor(patience.toMillis(), TimeUnit.MILLISECONDS));
    try {
      return work.get();
    } finally {
      note.cancel(false); // what has not begun by now never does
    }
  }
}
