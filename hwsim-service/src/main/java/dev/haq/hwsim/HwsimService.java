package dev.haq.hwsim;

import dev.haq.hwsim.accelerator.Catalogue;
import dev.haq.hwsim.grpc.HardwareSimulatorHandler;
import dev.haq.model.HaqException;
import dev.haq.rpc.RpcServer;
import dev.haq.rpc.ServiceProcess;
import dev.haq.rpc.ServiceRuntime;

/** The hardware simulator as a running service on one port. */
public final class HwsimService implements AutoCloseable {
  private final RpcServer server;

  private HwsimService(RpcServer server) {
    this.server = server;
  }

  /** {@code HwsimService [--config FILE]}: the simulator as a process of its own. */
  public static void main(String[] args) {
    ServiceProcess.run(args, HwsimSettings.class, HwsimSettings.RESOURCE, HwsimService::start);
  }

  /**
   * Starts listening; returns once it does. To be called from a plain thread.
   *
   * @throws HaqException when the port is taken
   */
  public static HwsimService start(ServiceRuntime runtime, HwsimSettings settings) {
    HardwareSimulatorHandler handler =
        new HardwareSimulatorHandler(Catalogue.builtIn(), settings.limits(), runtime.metrics());
    return new HwsimService(
        RpcServer.builder(runtime, "hwsim")
            .host(settings.host())
            .port(settings.port())
            .maxMessageBytes(settings.limits().messageBytes())
            .service(handler.service())
            .start());
  }

  /** The port it listens on. */
  public int port() {
    return server.port();
  }

  /** Stops gracefully; to be called from a plain thread. */
  @Override
  public void close() {
    server.close();
  }
}
