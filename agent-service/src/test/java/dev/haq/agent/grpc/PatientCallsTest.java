package dev.haq.agent.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.quantizer.v1.GetModelRequest;
import dev.haq.proto.quantizer.v1.QuantizerGrpc;
import dev.haq.rpc.RpcChannel;
import dev.haq.rpc.RpcServer;
import dev.haq.rpc.ServiceRuntime;
import io.grpc.Status;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.Test;

final class PatientCallsTest {
  /** Enough for one attempt after the first, not for a third. */
  private static final Duration SHORT = Duration.ofMillis(250);

  private final PatientCalls calls = PatientCalls.waiting(SHORT);
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

  @Test
  void aBusyServiceIsWaitedForHoweverLongThatTakes() {
    // The pauses of 0.2, 0.4 and 0.8 seconds are each by themselves past the patience, or near it.
    assertEquals("done", calls.call("the service", () -> busy(3)));
    assertEquals(4, attempts.get());
  }

  @Test
  void aServiceThatWasBusyIsThereAndStartsThePatienceAnew() {
    // Away, busy, away: 0.2 and 0.4 seconds after the first failure it is past the patience.
    assertEquals("done", calls.call("the service", () -> attempts.get() == 1 ? busy(2) : away(3)));
    assertEquals(4, attempts.get());
  }

  @Test
  void aCallThatSpentItsTimeInTheLineOfAServiceIsMadeAgainAFewTimes() {
    assertEquals("done", calls.call("the service", () -> failing(2, Status.DEADLINE_EXCEEDED)));
    assertEquals(3, attempts.getAndSet(0));
    HaqException e =
        assertThrows(
            HaqException.class,
            () -> calls.call("the service", () -> failing(5, Status.DEADLINE_EXCEEDED)));
    assertEquals(Reason.DEADLINE_EXCEEDED, e.reason());
    assertEquals(3, attempts.get());
  }

  @Test
  void whoWaitsForABusyServiceCanBeAborted() throws InterruptedException {
    Thread waiting =
        new Thread(
            () ->
                assertEquals(
                    Reason.CANCELLED,
                    assertThrows(
                            HaqException.class,
                            () -> calls.call("the service", () -> busy(Integer.MAX_VALUE)))
                        .reason()));
    AtomicReference<Throwable> failure = new AtomicReference<>();
    waiting.setUncaughtExceptionHandler((thread, e) -> failure.set(e));
    waiting.start();
    while (attempts.get() < 2) {
      Thread.sleep(1);
    }
    calls.abort();
    waiting.join(10_000);
    assertFalse(waiting.isAlive());
    assertNull(failure.get());
  }

  @Test
  void whoWaitsForTheAnswerIsToldAtOnceThatTheServiceIsBusy() {
    HaqException e =
        assertThrows(
            HaqException.class, () -> PatientCalls.once().call("the service", () -> busy(1)));
    assertEquals(Reason.BUSY, e.reason());
    assertEquals(1, attempts.get());
  }

  @Test
  void aServiceThatLacksACallIsAskedAgainUntilItsUpdateIsDone() {
    assertEquals("done", calls.call("the service", () -> failing(1, Status.UNIMPLEMENTED)));
    assertEquals(2, attempts.get());
  }

  @Test
  void whoWaitsForTheAnswerIsToldWhichServiceLacksWhichCall() {
    ServiceRuntime runtime = ServiceRuntime.create();
    try (RpcServer older = RpcServer.builder(runtime, "older").host("127.0.0.1").start();
        RpcChannel channel = RpcChannel.open("127.0.0.1:" + older.port(), Duration.ofSeconds(10))) {
      var stub = QuantizerGrpc.newBlockingStub(channel.channel());
      HaqException e =
          assertThrows(
              HaqException.class,
              () ->
                  PatientCalls.once()
                      .call(
                          GrpcBackends.QUANTIZER,
                          () -> stub.getModel(GetModelRequest.getDefaultInstance())));
      assertEquals(Reason.UNAVAILABLE, e.reason());
      assertEquals(
          "the quantizer lacks the call haq.quantizer.v1.Quantizer/GetModel: a replica of it is of"
              + " an older version (finish its update), or its address is another service's",
          e.getMessage());
    } finally {
      runtime.close();
    }
  }

  /** Is away for the first calls. */
  private String away(int times) {
    return failing(times, Status.UNAVAILABLE);
  }

  /** Fails the first calls so. */
  private String failing(int times, Status status) {
    if (attempts.incrementAndGet() <= times) {
      throw status.asRuntimeException();
    }
    return "done";
  }

  /** Is busy for the first calls. */
  private String busy(int times) {
    if (attempts.incrementAndGet() <= times) {
      throw new HaqException(Reason.BUSY, "others wait already");
    }
    return "done";
  }
}
