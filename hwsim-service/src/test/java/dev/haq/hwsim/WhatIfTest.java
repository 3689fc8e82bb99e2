package dev.haq.hwsim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.LayerBits;
import dev.haq.model.Network;
import dev.haq.model.Policy;
import dev.haq.proto.hwsim.v1.ExplainRequest;
import dev.haq.proto.hwsim.v1.ExplainResponse;
import dev.haq.proto.hwsim.v1.FindParameterRequest;
import dev.haq.proto.hwsim.v1.FindParameterResponse;
import dev.haq.proto.hwsim.v1.HardwareSimulatorGrpc;
import dev.haq.proto.hwsim.v1.LayerExplanation;
import dev.haq.proto.hwsim.v1.ParameterOverride;
import dev.haq.proto.hwsim.v1.SimulateBatchRequest;
import dev.haq.proto.hwsim.v1.SimulateBatchResponse;
import dev.haq.proto.hwsim.v1.SimulateRequest;
import dev.haq.proto.hwsim.v1.SimulateResponse;
import dev.haq.proto.hwsim.v1.TargetRef;
import dev.haq.rpc.ServiceRuntime;
import dev.haq.wire.BitsWire;
import dev.haq.wire.NetworkWire;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Other machines, explanations and batches over the wire. */
class WhatIfTest {
  private static final Network NETWORK = Networks.mobileNetV2();

  private static ServiceRuntime runtime;
  private static HwsimService service;
  private static ManagedChannel channel;
  private static HardwareSimulatorGrpc.HardwareSimulatorBlockingStub simulator;

  @BeforeAll
  static void start() {
    runtime = ServiceRuntime.create();
    service =
        HwsimService.start(
            runtime,
            HwsimSettings.defaults()
                .withAddress("127.0.0.1", 0)
                .withLimits(new HwsimSettings.Limits(100, 1024, 1 << 20, 3, 1 << 20, 60)));
    channel = ManagedChannelBuilder.forAddress("127.0.0.1", service.port()).usePlaintext().build();
    simulator = HardwareSimulatorGrpc.newBlockingStub(channel);
  }

  @AfterAll
  static void stop() throws InterruptedException {
    channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    service.close();
    runtime.close();
  }

  private static dev.haq.proto.model.v1.Policy uniform(int weights, int activations) {
    return BitsWire.toProto(
        Policy.uniform(NETWORK.size(), LayerBits.of(weights, activations)), NETWORK);
  }

  private static TargetRef.Builder target(String name) {
    return TargetRef.newBuilder().setName(name);
  }

  private static SimulateResponse simulate(TargetRef.Builder target) {
    return simulator.simulate(
        SimulateRequest.newBuilder()
            .setTarget(target)
            .setNetwork(NetworkWire.toProto(NETWORK))
            .setPolicy(uniform(8, 8))
            .build());
  }

  @Test
  void aTargetWithTwiceTheClockTakesHalfTheTime() {
    for (String name : new String[] {"bismo-edge", "bitfusion", "variable-bit-npu"}) {
      SimulateResponse known = simulate(target(name));
      double clockHz = known.getTotal().getCycles() / known.getTotal().getLatencySeconds();
      SimulateResponse faster =
          simulate(
              target(name)
                  .addOverrides(
                      ParameterOverride.newBuilder().setKey("clock_hz").setNumber(2 * clockHz)));
      assertEquals(
          known.getTotal().getLatencySeconds() / 2,
          faster.getTotal().getLatencySeconds(),
          1e-12,
          name);
    }
  }

  @Test
  void aSwitchIsOverriddenByAWordAndAWrongKeyIsNamed() {
    SimulateResponse perGroup =
        simulate(
            target("bitfusion")
                .addOverrides(
                    ParameterOverride.newBuilder()
                        .setKey("bit_fusion.depthwise")
                        .setWord("per_group")));
    assertTrue(
        perGroup.getTotal().getLatencySeconds()
            > simulate(target("bitfusion")).getTotal().getLatencySeconds());
    StatusRuntimeException e =
        assertThrows(
            StatusRuntimeException.class,
            () ->
                simulate(
                    target("bitfusion")
                        .addOverrides(
                            ParameterOverride.newBuilder().setKey("bit_fusion.row").setNumber(1))));
    assertEquals(Status.Code.INVALID_ARGUMENT, e.getStatus().getCode());
    assertTrue(e.getMessage().contains("row"), e.getMessage());
  }

  @Test
  void anInlineDescriptionIsATarget() {
    String yaml =
        simulator
            .getTarget(
                dev.haq.proto.hwsim.v1.GetTargetRequest.newBuilder()
                    .setName("tensor-core-gpu")
                    .build())
            .getDescriptionYaml();
    assertEquals(
        simulate(target("tensor-core-gpu")), simulate(TargetRef.newBuilder().setAccelerator(yaml)));
  }

  @Test
  void theSmallestBandwidthThatMeetsALatencyIsFound() {
    FindParameterRequest request =
        FindParameterRequest.newBuilder()
            .setTarget(target("bitfusion"))
            .setNetwork(NetworkWire.toProto(NETWORK))
            .setPolicy(uniform(4, 4))
            .setKey("bit_fusion.dram_bits_per_cycle")
            .setLowest(8)
            .setHighest(4096)
            .setLatencySeconds(0.007)
            .build();
    FindParameterResponse found = simulator.findParameter(request);
    assertEquals(Math.rint(found.getValue()), found.getValue());
    assertTrue(found.getCost().getLatencySeconds() <= 0.007);
    assertTrue(found.getSimulations() < 20);
    // One bit a cycle less does not do.
    SimulateResponse less =
        simulator.simulate(
            SimulateRequest.newBuilder()
                .setTarget(
                    target("bitfusion")
                        .addOverrides(
                            ParameterOverride.newBuilder()
                                .setKey("bit_fusion.dram_bits_per_cycle")
                                .setNumber(found.getValue() - 1)))
                .setNetwork(NetworkWire.toProto(NETWORK))
                .setPolicy(uniform(4, 4))
                .build());
    assertTrue(less.getTotal().getLatencySeconds() > 0.007);
    StatusRuntimeException e =
        assertThrows(
            StatusRuntimeException.class,
            () -> simulator.findParameter(request.toBuilder().setLatencySeconds(1e-6).build()));
    assertEquals(Status.Code.FAILED_PRECONDITION, e.getStatus().getCode());
    assertThrows(
        StatusRuntimeException.class,
        () -> simulator.findParameter(request.toBuilder().setLatencySeconds(Double.NaN).build()));
    assertThrows(
        StatusRuntimeException.class,
        () -> simulator.findParameter(request.toBuilder().setLowest(-1).build()));
  }

  @Test
  void aBatchGivesWhatTheSinglePoliciesGiveInTheirOrder() {
    SimulateBatchRequest request =
        SimulateBatchRequest.newBuilder()
            .setTarget(target("bitfusion"))
            .setNetwork(NetworkWire.toProto(NETWORK))
            .addPolicies(uniform(8, 8))
            .addPolicies(uniform(4, 4))
            .build();
    SimulateBatchResponse batch = simulator.simulateBatch(request);
    assertEquals(2, batch.getResultsCount());
    assertEquals(simulate(target("bitfusion")), batch.getResults(0));
    StatusRuntimeException e =
        assertThrows(
            StatusRuntimeException.class,
            () ->
                simulator.simulateBatch(
                    request.toBuilder()
                        .addPolicies(uniform(3, 3))
                        .addPolicies(uniform(2, 2))
                        .build()));
    assertEquals(Status.Code.RESOURCE_EXHAUSTED, e.getStatus().getCode());
  }

  @Test
  void aBatchWhoseAnswerWouldBeTooLargeToSendIsRefusedAfterItsFirstPolicy() {
    HwsimService small =
        HwsimService.start(
            runtime,
            HwsimSettings.defaults()
                .withAddress("127.0.0.1", 0)
                .withLimits(new HwsimSettings.Limits(100, 1024, 64 << 10, 1000, 0, 60)));
    ManagedChannel other =
        ManagedChannelBuilder.forAddress("127.0.0.1", small.port()).usePlaintext().build();
    try {
      SimulateBatchRequest.Builder request =
          SimulateBatchRequest.newBuilder()
              .setTarget(target("bismo-edge"))
              .setNetwork(NetworkWire.toProto(NETWORK));
      dev.haq.proto.model.v1.Policy policy = uniform(8, 8).toBuilder().clearModel().build();
      for (int i = 0; i < 20; i++) {
        request.addPolicies(policy);
      }
      StatusRuntimeException e =
          assertThrows(
              StatusRuntimeException.class,
              () -> HardwareSimulatorGrpc.newBlockingStub(other).simulateBatch(request.build()));
      assertEquals(Status.Code.RESOURCE_EXHAUSTED, e.getStatus().getCode(), e.getMessage());
      assertTrue(e.getMessage().contains("send several calls of at most"), e.getMessage());
    } finally {
      other.shutdownNow();
      small.close();
    }
  }

  @Test
  void theLimitOfABatchIsThatOfTheDescriptionToo() {
    String yaml =
        simulator
            .getTarget(
                dev.haq.proto.hwsim.v1.GetTargetRequest.newBuilder().setName("bitfusion").build())
            .getDescriptionYaml();
    for (TargetRef.Builder target :
        new TargetRef.Builder[] {
          target("bitfusion")
              .addOverrides(ParameterOverride.newBuilder().setKey("batch").setNumber(1025)),
          TargetRef.newBuilder()
              .setAccelerator(yaml.replaceFirst("(?m)^batch: .*$", "batch: 1000000"))
        }) {
      StatusRuntimeException e = assertThrows(StatusRuntimeException.class, () -> simulate(target));
      assertEquals(Status.Code.INVALID_ARGUMENT, e.getStatus().getCode());
      assertTrue(e.getMessage().contains("give 1 to 1024"), e.getMessage());
    }
  }

  @Test
  void anOverrideWithoutAValueAndAListWithAGapAreRefusedByKey() {
    StatusRuntimeException blank =
        assertThrows(
            StatusRuntimeException.class,
            () ->
                simulate(
                    target("variable-bit-npu")
                        .addOverrides(
                            ParameterOverride.newBuilder()
                                .setKey("roofline.dram_bits_per_cycle")
                                .setWord(" "))));
    assertTrue(
        blank.getMessage().contains("key roofline.dram_bits_per_cycle has no value"),
        blank.getMessage());
    StatusRuntimeException gap =
        assertThrows(
            StatusRuntimeException.class,
            () ->
                simulate(
                    TargetRef.newBuilder()
                        .setAccelerator(
                            "{name: n, clock_hz: 1, weight_bits: [8, null], activation_bits: [8]}")));
    assertTrue(gap.getMessage().contains("key weight_bits[1]: it is missing"), gap.getMessage());
  }

  @Test
  void everyLayerIsExplainedWithWhatItsBitsDo() {
    for (String name :
        new String[] {"bismo-cloud", "bismo-edge", "bitfusion", "variable-bit-npu"}) {
      boolean npu = name.equals("variable-bit-npu");
      ExplainResponse answer =
          simulator.explain(
              ExplainRequest.newBuilder()
                  .setTarget(target(name))
                  .setNetwork(NetworkWire.toProto(NETWORK))
                  .setPolicy(uniform(4, npu ? 8 : 4))
                  .build());
      assertEquals(NETWORK.size(), answer.getLayersCount());
      for (LayerExplanation layer : answer.getLayersList()) {
        assertEquals(npu ? 2 : 4, layer.getCounterfactualsCount());
        assertTrue(layer.getOperationalIntensity() > 0);
        assertTrue(layer.getReachedMacsPerSecond() > 0);
        assertTrue(
            layer.getReachedMacsPerSecond() <= layer.getAttainableMacsPerSecond() * (1 + 1e-9),
            name + " " + layer);
        assertTrue(layer.getAttainableMacsPerSecond() <= layer.getPeakMacsPerSecond() * (1 + 1e-9));
        assertTrue(layer.getCounterfactuals(0).getModelSizeBytesChange() < 0);
      }
    }
  }
}
