package dev.haq.hwsim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import dev.haq.proto.hwsim.v1.HardwareSimulatorGrpc;
import dev.haq.proto.hwsim.v1.HardwareSimulatorGrpc.HardwareSimulatorBlockingStub;
import dev.haq.rpc.ServiceRuntime;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.function.Executable;

/** The service over the wire, called with grpc-java as another program would: one a class. */
final class HwsimFixture implements BeforeAllCallback, AfterAllCallback, AutoCloseable {
  private final HwsimSettings.Limits limits;
  private ServiceRuntime runtime;
  private HwsimService service;
  private ManagedChannel channel;

  HwsimFixture(HwsimSettings.Limits limits) {
    this.limits = limits;
  }

  HardwareSimulatorBlockingStub simulator() {
    return HardwareSimulatorGrpc.newBlockingStub(channel);
  }

  int port() {
    return service.port();
  }

  /** Calls that are refused with this status and reason; answers what they are told. */
  static String refused(Status.Code code, String reason, Executable call) {
    StatusRuntimeException e = assertThrows(StatusRuntimeException.class, call);
    assertEquals(code, e.getStatus().getCode(), e.getMessage());
    try {
      ErrorInfo info = StatusProto.fromThrowable(e).getDetails(0).unpack(ErrorInfo.class);
      assertEquals(reason, info.getReason(), e.getMessage());
    } catch (InvalidProtocolBufferException bad) {
      throw new AssertionError(bad);
    }
    return e.getStatus().getDescription();
  }

  HwsimFixture start() {
    runtime = ServiceRuntime.create();
    service = HwsimService.start(runtime, new HwsimSettings("127.0.0.1", 0, limits));
    channel = ManagedChannelBuilder.forAddress("127.0.0.1", service.port()).usePlaintext().build();
    return this;
  }

  @Override
  public void close() {
    channel.shutdownNow();
    service.close();
    runtime.close();
  }

  @Override
  public void beforeAll(ExtensionContext context) {
    start();
  }

  @Override
  public void afterAll(ExtensionContext context) {
    close();
  }
}
