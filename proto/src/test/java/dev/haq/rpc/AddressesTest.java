package dev.haq.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.HaqException;
import dev.haq.proto.hwsim.v1.GetTargetRequest;
import dev.haq.proto.hwsim.v1.HardwareSimulatorGrpc;
import dev.haq.proto.hwsim.v1.HardwareSimulatorGrpcService;
import dev.haq.proto.hwsim.v1.Target;
import java.net.Inet6Address;
import java.net.NetworkInterface;
import java.net.URI;
import java.time.Duration;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Addresses of services, as settings give them. */
final class AddressesTest {
  @ParameterizedTest
  @ValueSource(
      strings = {"one:1", "one:1, two:2", "dns:///one:1", "[fd00::1]:9101", "a_b:1,[::1]:65535"})
  void anAddressIsAUri(String address) {
    String list = address.replace("dns:///", "").replace(" ", "");
    assertEquals("///" + list, URI.create(ReplicaResolver.uri(address)).getSchemeSpecificPart());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "fd00::1:9101|put an IPv6 address in brackets, such as [fd00::1]:9101",
        "[fd00::1]|is not a port",
        "[fd00::1|put an IPv6 address in brackets",
        "fd00::1]:1|put an IPv6 address in brackets",
        "host|is not a port",
        "host:x|'x' is not a port",
        "host:0|not of the form host:port",
      })
  void whatIsNoAddressIsRefused(String address, String expected) {
    HaqException e = assertThrows(HaqException.class, () -> ReplicaResolver.uri(address));
    assertTrue(e.getMessage().contains(expected), e.getMessage());
  }

  @Test
  void aServiceIsReachedByItsIpv6Address() throws Exception {
    Assumptions.assumeTrue(
        NetworkInterface.networkInterfaces()
            .flatMap(NetworkInterface::inetAddresses)
            .anyMatch(address -> address instanceof Inet6Address && address.isLoopbackAddress()),
        "this machine has no IPv6");
    RpcService targets =
        RpcService.named(
                HardwareSimulatorGrpcService.SERVICE_NAME,
                HardwareSimulatorGrpcService.SERVICE_DESCRIPTOR)
            .unary(
                HardwareSimulatorGrpcService.GetTarget,
                (request, call) -> Target.newBuilder().setName("six").build());
    try (ServiceRuntime runtime = ServiceRuntime.create();
        RpcServer server = RpcServer.builder(runtime, "test").host("::1").service(targets).start();
        RpcChannel channel = RpcChannel.open("[::1]:" + server.port(), Duration.ofSeconds(10))) {
      assertEquals(
          "six",
          HardwareSimulatorGrpc.newBlockingStub(channel.channel())
              .getTarget(GetTargetRequest.getDefaultInstance())
              .getName());
    }
  }
}
