package dev.haq.agent.grpc;

import dev.haq.agent.search.HardwareCosts;
import dev.haq.model.Cost;
import dev.haq.model.CostTable;
import dev.haq.model.Network;
import dev.haq.model.Policy;
import dev.haq.model.Resource;
import dev.haq.proto.hwsim.v1.BuildCostTableRequest;
import dev.haq.proto.hwsim.v1.HardwareSimulatorGrpc.HardwareSimulatorBlockingStub;
import dev.haq.proto.hwsim.v1.SimulateRequest;
import dev.haq.proto.hwsim.v1.TargetRef;
import dev.haq.wire.BitsWire;
import dev.haq.wire.CostWire;
import dev.haq.wire.NetworkWire;

/** The hardware simulator behind the search's port. */
final class GrpcHardwareCosts implements HardwareCosts {
  private final HardwareSimulatorBlockingStub simulator;
  private final PatientCalls calls;
  private final TargetRef target;
  private final Network network;
  private final dev.haq.proto.model.v1.Network networkMessage;
  private final Resource resource;
  private CostTable table;

  /**
   * @param resource the budget's
   */
  GrpcHardwareCosts(
      HardwareSimulatorBlockingStub simulator,
      PatientCalls calls,
      TargetRef target,
      Network network,
      Resource resource) {
    this.simulator = simulator;
    this.calls = calls;
    this.target = target;
    this.network = network;
    this.networkMessage = NetworkWire.toProto(network);
    this.resource = resource;
  }

  /** All widths that the target allows: whatever the search may choose is among them. */
  @Override
  public CostTable table() {
    if (table == null) {
      BuildCostTableRequest request =
          BuildCostTableRequest.newBuilder()
              .setTarget(target)
              .setNetwork(networkMessage)
              .setResource(CostWire.toProto(resource))
              .build();
      table =
          CostWire.fromProto(
              calls
                  .call(GrpcBackends.SIMULATOR, () -> simulator.buildCostTable(request))
                  .getTable());
    }
    return table;
  }

  @Override
  public Cost simulate(Policy policy) {
    SimulateRequest.Builder request =
        SimulateRequest.newBuilder()
            .setTarget(target)
            .setNetwork(networkMessage)
            .setPolicy(BitsWire.toProto(policy, network));
    if (resource == Resource.MODEL_SIZE) {
      // Layers are left in float, which has a size but no latency here.
      request.addResources(CostWire.toProto(Resource.MODEL_SIZE));
    }
    return CostWire.fromProto(
        calls.call(GrpcBackends.SIMULATOR, () -> simulator.simulate(request.build())).getTotal());
  }
}
