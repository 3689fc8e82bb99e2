package dev.haq.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.hwsim.v1.BuildCostTableRequest;
import dev.haq.proto.hwsim.v1.GetTargetRequest;
import dev.haq.proto.hwsim.v1.HardwareSimulatorGrpc;
import dev.haq.proto.hwsim.v1.HardwareSimulatorGrpcService;
import dev.haq.proto.hwsim.v1.Target;
import dev.haq.proto.quantizer.v1.MeasureSensitivityRequest;
import dev.haq.proto.quantizer.v1.QuantizerGrpc;
import java.time.Duration;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A service of an older version, which has one call. */
class MissingCallsTest {
  private final ServiceRuntime runtime = ServiceRuntime.create();
  private final RpcServer older =
      RpcServer.builder(runtime, "older")
          .host("127.0.0.1")
          .service(
              RpcService.named(
                      HardwareSimulatorGrpcService.SERVICE_NAME,
                      HardwareSimulatorGrpcService.SERVICE_DESCRIPTOR)
                  .unary(
                      HardwareSimulatorGrpcService.GetTarget,
                      (request, call) -> Target.newBuilder().setName(request.getName()).build()))
          .start();
  private final RpcChannel channel =
      RpcChannel.open("127.0.0.1:" + older.port(), Duration.ofSeconds(10));

  @AfterEach
  void close() {
    channel.close();
    older.close();
    runtime.close();
  }

  @Test
  void aServiceThatLacksACallIsUnavailableForIt() {
    var simulator = HardwareSimulatorGrpc.newBlockingStub(channel.channel());
    assertMissing(
        "haq.hwsim.v1.HardwareSimulator/BuildCostTable",
        () -> simulator.buildCostTable(BuildCostTableRequest.getDefaultInstance()));
    GetTargetRequest request = GetTargetRequest.newBuilder().setName("t").build();
    assertEquals("t", RpcErrors.calling(() -> simulator.getTarget(request)).getName());
  }

  @Test
  void aStreamThatAServiceLacksIsToldAlike() {
    var quantizer = QuantizerGrpc.newBlockingStub(channel.channel());
    assertMissing(
        "haq.quantizer.v1.Quantizer/MeasureSensitivity",
        () -> quantizer.measureSensitivity(MeasureSensitivityRequest.getDefaultInstance()).next());
  }

  private static void assertMissing(String name, Supplier<?> call) {
    HaqException e = assertThrows(HaqException.class, () -> RpcErrors.calling(call));
    assertEquals(Reason.UNAVAILABLE, e.reason());
    assertEquals(name, e.details().get(RpcErrors.MISSING_CALL));
    assertTrue(e.getMessage().contains("lacks the call " + name + ": "), e.getMessage());
    assertTrue(e.getMessage().contains("finish its update"), e.getMessage());
  }
}
