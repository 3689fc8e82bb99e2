package dev.haq.hwsim;

import static dev.haq.hwsim.HwsimFixture.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.LayerBits;
import dev.haq.model.Network;
import dev.haq.model.Policy;
import dev.haq.proto.hwsim.v1.ExplainRequest;
import dev.haq.proto.hwsim.v1.ExplainResponse;
import dev.haq.proto.hwsim.v1.FindParameterRequest;
import dev.haq.proto.hwsim.v1.FindParameterResponse;
import dev.haq.proto.hwsim.v1.GetTargetRequest;
import dev.haq.proto.hwsim.v1.HardwareSimulatorGrpc.HardwareSimulatorBlockingStub;
import dev.haq.proto.hwsim.v1.LayerExplanation;
import dev.haq.proto.hwsim.v1.ParameterOverride;
import dev.haq.proto.hwsim.v1.SimulateBatchRequest;
import dev.haq.proto.hwsim.v1.SimulateBatchResponse;
import dev.haq.proto.hwsim.v1.SimulateRequest;
import dev.haq.proto.hwsim.v1.SimulateResponse;
import dev.haq.proto.hwsim.v1.Target;
import dev.haq.proto.hwsim.v1.TargetRef;
import dev.haq.wire.BitsWire;
import dev.haq.wire.NetworkWire;
import io.grpc.Status;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.function.Executable;

/** Other machines, explanations and batches over the wire. */
class WhatIfTest {
  private static final Network NETWORK = Networks.mobileNetV2();

  @RegisterExtension
  static final HwsimFixture hwsim =
      new HwsimFixture(new HwsimSettings.Limits(100, 1024, 1 << 20, 3, 1 << 20, 60));

  private static HardwareSimulatorBlockingStub simulator;

  @BeforeAll
  static void connect() {
    simulator = hwsim.simulator();
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
    TargetRef.Builder wrong =
        target("bitfusion")
            .addOverrides(ParameterOverride.newBuilder().setKey("bit_fusion.row").setNumber(1));
    assertRefused("key bit_fusion.row: there is no such key", () -> simulate(wrong));
  }

  @Test
  void anInlineDescriptionIsATarget() {
    String yaml =
        simulator
            .getTarget(GetTargetRequest.newBuilder().setName("tensor-core-gpu").build())
            .getDescriptionYaml();
    assertEquals(
        simulate(target("tensor-core-gpu")), simulate(TargetRef.newBuilder().setAccelerator(yaml)));
  }

  @Test
  void aTargetOfOnesOwnIsDescribedAsThoseOfTheCatalogueAre() {
    Target shipped =
        simulator.getTarget(GetTargetRequest.newBuilder().setName("tensor-core-gpu").build());
    TargetRef.Builder own = TargetRef.newBuilder().setAccelerator(shipped.getDescriptionYaml());
    assertEquals(shipped, described(own, "mine.yaml"));
    Target other =
        described(
            own.setBatch(3)
                .addOverrides(ParameterOverride.newBuilder().setKey("clock_hz").setNumber(5)),
            "mine.yaml");
    assertEquals(3, other.getBatch());
    assertEquals(5, other.getClockHz());
    assertRefused(
        "accelerator mine.yaml: key clock: there is no such key",
        () ->
            described(
                own.addOverrides(ParameterOverride.newBuilder().setKey("clock").setNumber(5)),
                "mine.yaml"));
    String uncovered =
        shipped.getDescriptionYaml().replaceFirst("(?m)^weight_bits: .*", "weight_bits: [8, 16]");
    assertRefused(
        "accelerator target.accelerator: roofline.macs_per_cycle has no entry",
        () -> described(TargetRef.newBuilder().setAccelerator(uncovered), ""));
    assertRefused(
        "name and target are both given",
        () ->
            simulator.getTarget(
                GetTargetRequest.newBuilder().setName("bitfusion").setTarget(own).build()));
  }

  private static Target described(TargetRef.Builder target, String origin) {
    return simulator.getTarget(
        GetTargetRequest.newBuilder().setTarget(target).setAcceleratorOrigin(origin).build());
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
    String unreachable =
        refused(
            Status.Code.FAILED_PRECONDITION,
            "BUDGET_INFEASIBLE",
            () -> simulator.findParameter(request.toBuilder().setLatencySeconds(1e-6).build()));
    assertTrue(unreachable.contains(" ms, more than 1 us: allow higher values"), unreachable);
    assertRefused(
        "latency_seconds is NaN: give seconds, above 0 and finite",
        () -> simulator.findParameter(request.toBuilder().setLatencySeconds(Double.NaN).build()));
    assertRefused(
        "lowest -1", () -> simulator.findParameter(request.toBuilder().setLowest(-1).build()));
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
    SimulateBatchRequest four =
        request.toBuilder().addPolicies(uniform(3, 3)).addPolicies(uniform(2, 2)).build();
    refused(Status.Code.RESOURCE_EXHAUSTED, "TOO_LARGE", () -> simulator.simulateBatch(four));
  }

  @Test
  void aBatchWhoseAnswerWouldBeTooLargeToSendIsRefusedAfterItsFirstPolicy() {
    HwsimSettings.Limits limits = new HwsimSettings.Limits(100, 1024, 64 << 10, 1000, 0, 60);
    try (HwsimFixture small = new HwsimFixture(limits).start()) {
      SimulateBatchRequest.Builder request =
          SimulateBatchRequest.newBuilder()
              .setTarget(target("bismo-edge"))
              .setNetwork(NetworkWire.toProto(NETWORK));
      dev.haq.proto.model.v1.Policy policy = uniform(8, 8).toBuilder().clearModel().build();
      for (int i = 0; i < 20; i++) {
        request.addPolicies(policy);
      }
      String message =
          refused(
              Status.Code.RESOURCE_EXHAUSTED,
              "TOO_LARGE",
              () -> small.simulator().simulateBatch(request.build()));
      assertTrue(message.contains("send several calls of at most"), message);
    }
  }

  @Test
  void theLimitOfABatchIsThatOfTheDescriptionToo() {
    String yaml =
        simulator
            .getTarget(GetTargetRequest.newBuilder().setName("bitfusion").build())
            .getDescriptionYaml();
    for (TargetRef.Builder target :
        new TargetRef.Builder[] {
          target("bitfusion")
              .addOverrides(ParameterOverride.newBuilder().setKey("batch").setNumber(1025)),
          TargetRef.newBuilder()
              .setAccelerator(yaml.replaceFirst("(?m)^batch: .*$", "batch: 1000000"))
        }) {
      assertRefused("give 1 to 1024", () -> simulate(target));
    }
  }

  @Test
  void anOverrideWithoutAValueAndAListWithAGapAreRefusedByKey() {
    TargetRef.Builder blank =
        target("variable-bit-npu")
            .addOverrides(
                ParameterOverride.newBuilder().setKey("roofline.dram_bits_per_cycle").setWord(" "));
    assertRefused("key roofline.dram_bits_per_cycle has no value", () -> simulate(blank));
    TargetRef.Builder gap =
        TargetRef.newBuilder()
            .setAccelerator("{name: n, clock_hz: 1, weight_bits: [8, null], activation_bits: [8]}");
    assertRefused("key weight_bits[1]: it is missing", () -> simulate(gap));
  }

  private static void assertRefused(String part, Executable call) {
    String message = refused(Status.Code.INVALID_ARGUMENT, "INVALID_ARGUMENT", call);
    assertTrue(message.contains(part), message);
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
