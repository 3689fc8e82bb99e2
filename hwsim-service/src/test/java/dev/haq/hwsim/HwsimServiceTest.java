package dev.haq.hwsim;

import static dev.haq.hwsim.HwsimFixture.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.LayerBits;
import dev.haq.model.Network;
import dev.haq.model.Policy;
import dev.haq.proto.hwsim.v1.BuildCostTableRequest;
import dev.haq.proto.hwsim.v1.BuildCostTableResponse;
import dev.haq.proto.hwsim.v1.GetTargetRequest;
import dev.haq.proto.hwsim.v1.HardwareSimulatorGrpc.HardwareSimulatorBlockingStub;
import dev.haq.proto.hwsim.v1.ListTargetsRequest;
import dev.haq.proto.hwsim.v1.ListTargetsResponse;
import dev.haq.proto.hwsim.v1.LookupTable;
import dev.haq.proto.hwsim.v1.SimulateBatchRequest;
import dev.haq.proto.hwsim.v1.SimulateRequest;
import dev.haq.proto.hwsim.v1.SimulateResponse;
import dev.haq.proto.hwsim.v1.Target;
import dev.haq.proto.hwsim.v1.TargetRef;
import dev.haq.proto.model.v1.BitChoices;
import dev.haq.proto.model.v1.Bound;
import dev.haq.proto.model.v1.Conv2d;
import dev.haq.proto.model.v1.Layer;
import dev.haq.proto.model.v1.Resource;
import dev.haq.wire.BitsWire;
import dev.haq.wire.CostWire;
import dev.haq.wire.NetworkWire;
import io.grpc.Status;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The service over the wire, called with grpc-java as another program would. */
class HwsimServiceTest {
  @RegisterExtension
  static final HwsimFixture hwsim =
      new HwsimFixture(new HwsimSettings.Limits(100, 1024, 1 << 20, 10, 1 << 20, 60));

  private static HardwareSimulatorBlockingStub simulator;

  @BeforeAll
  static void connect() {
    simulator = hwsim.simulator();
  }

  private static TargetRef target(String name) {
    return TargetRef.newBuilder().setName(name).build();
  }

  private static SimulateRequest.Builder eightBit(String target, Network network) {
    return SimulateRequest.newBuilder()
        .setTarget(target(target))
        .setNetwork(NetworkWire.toProto(network))
        .setPolicy(BitsWire.toProto(Policy.uniform(network.size(), LayerBits.of(8, 8)), network));
  }

  @Test
  void theTargetsAreListedPageByPageWithWhatTheyModelAndWhereTheirFiguresComeFrom() {
    ListTargetsResponse first =
        simulator.listTargets(ListTargetsRequest.newBuilder().setPageSize(1).build());
    ListTargetsResponse second =
        simulator.listTargets(
            ListTargetsRequest.newBuilder().setPageToken(first.getNextPageToken()).build());
    assertEquals("bismo-cloud", first.getTargets(0).getName());
    assertEquals("bismo-edge", second.getTargets(0).getName());
    assertEquals("bitfusion", second.getTargets(1).getName());
    assertTrue(second.getTargets(1).getResourcesList().contains(Resource.ENERGY));
    assertEquals("", second.getNextPageToken());
    Target edge = simulator.getTarget(GetTargetRequest.newBuilder().setName("bismo-edge").build());
    assertEquals(second.getTargets(0), edge.toBuilder().clearDescriptionYaml().build());
    assertTrue(edge.getDescriptionYaml().contains("activation_buffer_words: 2048"));
    assertTrue(edge.getCalibrated());
    assertFalse(first.getTargets(0).getCalibrated());
    assertEquals(List.of(Resource.LATENCY, Resource.MODEL_SIZE), edge.getResourcesList());
    assertEquals(List.of(1, 2, 3, 4, 5, 6, 7, 8), edge.getWeightBits().getBitsList());
    assertEquals(1, edge.getBatch());
  }

  @Test
  void eightBitMobileNetV2OnTheCloudTargetCostsThePublishedCycles() {
    SimulateResponse response =
        simulator.simulate(eightBit("bismo-cloud", Networks.mobileNetV2()).build());
    assertEquals(39_624_933, response.getTotal().getCycles());
    assertEquals(53, response.getLayersCount());
    assertEquals("conv0", response.getLayers(0).getBits().getName());
    assertEquals(16, response.getBatch());
    assertFalse(response.getTotal().hasEnergyJoules());
    assertFalse(response.getExtrapolated());
  }

  @Test
  void aCostTableGivesAPolicyTheVeryTotalThatASimulationGives() {
    Network network = Networks.mobileNetV1();
    for (Resource resource : List.of(Resource.LATENCY, Resource.MODEL_SIZE)) {
      BuildCostTableResponse response =
          simulator.buildCostTable(
              BuildCostTableRequest.newBuilder()
                  .setTarget(target("bismo-edge"))
                  .setNetwork(NetworkWire.toProto(network))
                  .setResource(resource)
                  .build());
      SimulateResponse simulated = simulator.simulate(eightBit("bismo-edge", network).build());
      double total =
          CostWire.fromProto(response.getTable())
              .cost(Policy.uniform(network.size(), LayerBits.of(8, 8)));
      assertEquals(
          CostWire.fromProto(simulated.getTotal()).of(CostWire.fromProto(resource)), total);
      assertTrue(response.getSeconds() > 0);
    }
  }

  @Test
  void codebooksAreCountedWhereTheRequestSaysSo() {
    Network network = Networks.mobileNetV1();
    double expected = network.size() * 4 * 256;
    SimulateRequest.Builder plain = eightBit("bismo-edge", network);
    SimulateRequest.Builder counted = plain.clone().setCountCodebooks(true);
    double difference =
        simulator.simulate(counted.build()).getTotal().getModelSizeBytes()
            - simulator.simulate(plain.build()).getTotal().getModelSizeBytes();
    assertEquals(expected, difference);
    BuildCostTableRequest.Builder table =
        BuildCostTableRequest.newBuilder()
            .setTarget(target("bismo-edge"))
            .setNetwork(NetworkWire.toProto(network))
            .setResource(Resource.MODEL_SIZE);
    Policy eight = Policy.uniform(network.size(), LayerBits.of(8, 8));
    double without =
        CostWire.fromProto(simulator.buildCostTable(table.build()).getTable()).cost(eight);
    double with =
        CostWire.fromProto(
                simulator.buildCostTable(table.setCountCodebooks(true).build()).getTable())
            .cost(eight);
    assertEquals(expected, with - without);
    SimulateBatchRequest batch =
        SimulateBatchRequest.newBuilder()
            .setTarget(target("bismo-edge"))
            .setNetwork(NetworkWire.toProto(network))
            .addPolicies(plain.getPolicy())
            .setCountCodebooks(true)
            .build();
    assertEquals(with, simulator.simulateBatch(batch).getResults(0).getTotal().getModelSizeBytes());
  }

  @Test
  void aBatchOfTheCallersOwnReplacesTheTargetsOwn() {
    SimulateRequest request =
        eightBit("bismo-cloud", Networks.small())
            .setTarget(TargetRef.newBuilder().setName("bismo-cloud").setBatch(4))
            .build();
    assertEquals(4, simulator.simulate(request).getBatch());
  }

  @Test
  void theCallersOwnTableIsATarget() {
    LookupTable table =
        LookupTable.newBuilder()
            .setName("my phone")
            .setResource(Resource.LATENCY)
            .setWeightBits(BitChoices.newBuilder().addBits(4).addBits(8))
            .setActivationBits(BitChoices.newBuilder().addBits(8))
            .setLayers(3)
            .addAllLayerNames(List.of("stem", "dw", "fc"))
            .addAllValues(List.of(1., 2., 3., 4., 5., 6.))
            .setUnit(LookupTable.Unit.CYCLES)
            .setClockHz(1000)
            .build();
    SimulateRequest request =
        eightBit("", Networks.small())
            .setTarget(TargetRef.newBuilder().setLookupTable(table))
            .build();
    SimulateResponse response = simulator.simulate(request);
    assertEquals(12, response.getTotal().getCycles());
    assertEquals(0.012, response.getTotal().getLatencySeconds(), 1e-15);
    assertEquals(Bound.BOUND_UNKNOWN, response.getLayers(0).getBoundBy());

    SimulateRequest withoutClock =
        request.toBuilder()
            .setTarget(TargetRef.newBuilder().setLookupTable(table.toBuilder().clearClockHz()))
            .build();
    String message =
        refused(
            Status.Code.INVALID_ARGUMENT,
            "INVALID_ARGUMENT",
            () -> simulator.simulate(withoutClock));
    assertTrue(message.contains("clock_hz"), message);
  }

  @Test
  void aTableKnowsItsBatchWhereABatchChangesWhatItHolds() {
    BuildCostTableRequest.Builder request =
        BuildCostTableRequest.newBuilder()
            .setTarget(TargetRef.newBuilder().setName("bismo-cloud"))
            .setNetwork(NetworkWire.toProto(Networks.small()))
            .setResource(Resource.LATENCY);
    assertEquals(16, simulator.buildCostTable(request.build()).getTable().getBatch());
    request.setResource(Resource.MODEL_SIZE);
    assertEquals(0, simulator.buildCostTable(request.build()).getTable().getBatch());
  }

  @Test
  void badRequestsAreRefusedWithATypedReason() {
    Network small = Networks.small();
    String unknown =
        refused(
            Status.Code.NOT_FOUND,
            "UNKNOWN_TARGET",
            () -> simulator.simulate(eightBit("gpu", small).build()));
    assertTrue(unknown.contains("bismo-cloud, bismo-edge, bitfusion"), unknown);
    refused(
        Status.Code.FAILED_PRECONDITION,
        "RESOURCE_NOT_MODELLED",
        () ->
            simulator.buildCostTable(
                BuildCostTableRequest.newBuilder()
                    .setTarget(target("bismo-edge"))
                    .setNetwork(NetworkWire.toProto(small))
                    .setResource(Resource.ENERGY)
                    .build()));
    refused(
        Status.Code.INVALID_ARGUMENT,
        "INVALID_BITS",
        () ->
            simulator.simulate(
                eightBit("bismo-edge", small)
                    .setPolicy(BitsWire.toProto(Policy.uniform(3, LayerBits.of(9, 8)), small))
                    .build()));
    refused(
        Status.Code.INVALID_ARGUMENT,
        "POLICY_MISMATCH",
        () ->
            simulator.simulate(
                eightBit("bismo-edge", small)
                    .setPolicy(
                        BitsWire.toProto(
                            Policy.uniform(2, LayerBits.of(8, 8)), "", List.of("a", "b")))
                    .build()));
    refused(
        Status.Code.INVALID_ARGUMENT,
        "INVALID_ARGUMENT",
        () -> simulator.simulate(eightBit("bismo-edge", small).clearTarget().build()));
    refused(
        Status.Code.INVALID_ARGUMENT,
        "INVALID_ARGUMENT",
        () -> simulator.simulate(eightBit("bismo-edge", small).clearNetwork().build()));
    refused(
        Status.Code.INVALID_ARGUMENT,
        "INVALID_ARGUMENT",
        () ->
            simulator.simulate(
                eightBit("bismo-edge", small)
                    .setTarget(TargetRef.newBuilder().setName("bismo-edge").setBatch(1025))
                    .build()));
    refused(
        Status.Code.INVALID_ARGUMENT,
        "INVALID_ARGUMENT",
        () -> simulator.listTargets(ListTargetsRequest.newBuilder().setPageToken("x").build()));
  }

  @Test
  void aLayerWithoutASizeIsRefusedByName() {
    SimulateRequest.Builder request = eightBit("bismo-edge", Networks.small());
    request
        .getNetworkBuilder()
        .setLayers(1, Layer.newBuilder().setName("dw").setConv2D(Conv2d.getDefaultInstance()));
    String message =
        refused(
            Status.Code.INVALID_ARGUMENT,
            "INVALID_ARGUMENT",
            () -> simulator.simulate(request.build()));
    assertTrue(message.contains("dw"), message);
  }

  @Test
  void moreLayersThanTheLimitAreRefused() {
    SimulateRequest.Builder request = eightBit("bismo-edge", Networks.small());
    for (int i = 0; i < 101; i++) {
      request.getNetworkBuilder().addLayersBuilder().setName("l" + i);
    }
    refused(Status.Code.RESOURCE_EXHAUSTED, "TOO_LARGE", () -> simulator.simulate(request.build()));
  }

  @Test
  void thePortAlsoServesMetricsAndHealth() throws Exception {
    simulator.listTargets(ListTargetsRequest.getDefaultInstance());
    HttpClient http = HttpClient.newHttpClient();
    for (String path : List.of("/healthz", "/readyz", "/metrics")) {
      URI uri = URI.create("http://127.0.0.1:" + hwsim.port() + path);
      HttpResponse<String> response =
          http.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
      assertEquals(200, response.statusCode());
      assertTrue(!path.equals("/metrics") || response.body().contains("haq_rpc_server"), path);
    }
  }
}
