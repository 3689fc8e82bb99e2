package dev.haq.hwsim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import dev.haq.proto.hwsim.v1.BuildCostTableRequest;
import dev.haq.proto.hwsim.v1.FindParameterRequest;
import dev.haq.proto.hwsim.v1.HardwareSimulatorGrpc;
import dev.haq.proto.hwsim.v1.TargetRef;
import dev.haq.proto.model.v1.Resource;
import dev.haq.rpc.ServiceRuntime;
import dev.haq.wire.BitsWire;
import dev.haq.wire.NetworkWire;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Requests of 10,000 large layers, for which nobody waits long enough. Work that was given up is
 * told from work that was finished by the timer of answers, which counts the finished alone.
 */
class LongRequestTest {
  private static final int LAYERS = 10_000;
  private static final dev.haq.proto.model.v1.Network NETWORK =
      NetworkWire.toProto(LargeNetworks.convolutions(LAYERS));

  private ServiceRuntime runtime;
  private HwsimService service;
  private ManagedChannel channel;
  private HardwareSimulatorGrpc.HardwareSimulatorBlockingStub simulator;

  @BeforeEach
  void start() {
    start(HwsimSettings.defaults());
  }

  private void start(HwsimSettings settings) {
    runtime = ServiceRuntime.create();
    service = HwsimService.start(runtime, settings.withAddress("127.0.0.1", 0));
    channel = ManagedChannelBuilder.forAddress("127.0.0.1", service.port()).usePlaintext().build();
    simulator = HardwareSimulatorGrpc.newBlockingStub(channel);
  }

  @AfterEach
  void stop() throws InterruptedException {
    channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    service.close();
    runtime.close();
  }

  private static BuildCostTableRequest table() {
    return BuildCostTableRequest.newBuilder()
        .setTarget(TargetRef.newBuilder().setName("bitfusion"))
        .setNetwork(NETWORK)
        .setResource(Resource.LATENCY)
        .build();
  }

  @Test
  void aTableThatTakesLongerThanItsDeadlineIsNotLeftRunning() {
    // On a busy machine a deadline may pass before the work begins: then a longer one is tried.
    for (int seconds = 1; ; seconds *= 2) {
      int deadline = seconds;
      CompletableFuture<Status.Code> end =
          failing(
              () ->
                  simulator.withDeadlineAfter(deadline, TimeUnit.SECONDS).buildCostTable(table()));
      boolean begun = false;
      while (!end.isDone()) {
        begun |= active() == 1;
        pause();
      }
      assertEquals(Status.Code.DEADLINE_EXCEEDED, end.join());
      assertGivenUp();
      if (begun) {
        return;
      }
    }
  }

  @Test
  void aTableThatTakesLongerThanTheServiceGivesACallEndsThoughItsCallerWouldWait()
      throws InterruptedException {
    stop();
    HwsimSettings settings = HwsimSettings.defaults();
    HwsimSettings.Limits limits = settings.limits();
    start(
        new HwsimSettings(
            settings.host(),
            settings.port(),
            new HwsimSettings.Limits(
                limits.layers(),
                limits.batch(),
                limits.messageBytes(),
                limits.policies(),
                limits.cacheBytes(),
                0.2)));
    StatusRuntimeException e =
        assertThrows(StatusRuntimeException.class, () -> simulator.buildCostTable(table()));
    assertEquals(Status.Code.DEADLINE_EXCEEDED, e.getStatus().getCode());
    assertTrue(e.getMessage().contains("fewer layers"), e.getMessage());
    assertGivenUp();
  }

  @Test
  void aTableWhoseCallerLeavesIsNotLeftRunning() {
    assertGivenUpWhenTheCallerLeaves(() -> simulator.buildCostTable(table()));
  }

  @Test
  void aSearchForAParameterWhoseCallerLeavesIsNotLeftRunning() {
    FindParameterRequest request =
        FindParameterRequest.newBuilder()
            .setTarget(TargetRef.newBuilder().setName("bitfusion"))
            .setNetwork(NETWORK)
            .setPolicy(
                BitsWire.toProto(
                    Policy.uniform(LAYERS, LayerBits.of(5, 5)), NetworkWire.fromProto(NETWORK)))
            .setKey("clock_hz")
            .setLowest(1)
            .setHighest(1e18)
            .setLatencySeconds(1)
            .build();
    assertGivenUpWhenTheCallerLeaves(() -> simulator.findParameter(request));
  }

  private void assertGivenUpWhenTheCallerLeaves(Runnable call) {
    Context.CancellableContext context = Context.ROOT.withCancellation();
    CompletableFuture<Status.Code> end = failing(() -> context.run(call));
    awaitActive(1);
    context.cancel(null);
    assertEquals(Status.Code.CANCELLED, end.join());
    assertGivenUp();
  }

  private static CompletableFuture<Status.Code> failing(Runnable call) {
    return CompletableFuture.supplyAsync(
        () -> assertThrows(StatusRuntimeException.class, call::run).getStatus().getCode(),
        waiting -> new Thread(waiting, "caller").start());
  }

  private void assertGivenUp() {
    awaitActive(0);
    assertNull(runtime.metrics().find("haq.hwsim.answers").timer(), "it was finished, for nobody");
  }

  /** Waits, at most a minute, until so many answers are being computed. */
  private void awaitActive(int wanted) {
    long giveUp = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
    while (active() != wanted) {
      assertTrue(System.nanoTime() < giveUp, "still computing: " + active());
      pause();
    }
  }

  private int active() {
    return runtime.metrics().get("haq.hwsim.computing").longTaskTimer().activeTasks();
  }

  private static void pause() {
    try {
      TimeUnit.MILLISECONDS.sleep(5);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
