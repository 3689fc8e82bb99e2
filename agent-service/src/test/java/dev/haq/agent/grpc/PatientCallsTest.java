package dev.haq.agent.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import io.grpc.Status;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.Test;

final class PatientCallsTest {
  /** Enough for one attempt after the first, not for a third. */
  private static final Duration SHORT = Duration.ofMillis(250);

  private final PatientCalls calls = new PatientCalls(SHORT);
  private final AtomicInteger attempts = new AtomicInteger();

  @Test
  void workThatComesFurtherEachTimeBearsAnyNumberOfInterruptions() {
    assertEquals("done", calls.call("the service", attempts::get, () -> away(5)));
    assertEquals(6, attempts.get());
  }

  @Test
  void workThatComesNoFurtherIsGivenUpOnceTheServiceWasAwayForLong() {
    IntSupplier stuck = () -> Math.min(attempts.get(), 2);
    HaqException e =
        assertThrows(HaqException.class, () -> calls.call("the service", stuck, () -> away(5)));
    assertEquals(Reason.UNAVAILABLE, e.reason());
    assertEquals(3, attempts.get());
  }

  @Test
  void aCallIsMadeAgainForAsLongAsItsServiceMayBeAway() {
    assertEquals("done", calls.call("the service", () -> away(1)));
    attempts.set(0);
    assertThrows(HaqException.class, () -> calls.call("the service", () -> away(5)));
    assertEquals(2, attempts.get());
  }

  @Test
  void aCallThatWasAbortedIsNotMadeAgain() {
    HaqException e =
        assertThrows(
            HaqException.class,
            () ->
                calls.call(
                    "the service",
                    () -> {
                      calls.abort();
                      return away(5);
                    }));
    assertEquals(Reason.CANCELLED, e.reason());
    assertEquals(1, attempts.get());
  }

  /** Is away for the first calls. */
  private String away(int times) {
    if (attempts.incrementAndGet() <= times) {
      throw Status.UNAVAILABLE.asRuntimeException();
    }
    return "done";
  }
}
