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
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The hardware simulator behind the search's port. */
final class GrpcHardwareCosts implements HardwareCosts {
  private final HardwareSimulatorBlockingStub simulator;
  private final PatientCalls calls;
  private final TargetRef target;
  private final Network network;
  private final boolean codebooks;
  private final dev.haq.proto.model.v1.Network networkMessage;
  private final Map<Resource, CostTable> tables = new ConcurrentHashMap<>();

  /**
   * @param codebooks whether model size counts those of the layers
   */
  GrpcHardwareCosts(
      HardwareSimulatorBlockingStub simulator,
      PatientCalls calls,
      TargetRef target,
      Network network,
      boolean codebooks) {
    this.simulator = simulator;
    this.calls = calls;
    this.target = target;
    this.network = network;
    this.codebooks = codebooks;
    this.networkMessage = NetworkWire.toProto(network);
  }

  /** All widths that the target allows: whatever the search may choose is among them. */
  @Override
  public CostTable table(Resource resource) {
    return tables.computeIfAbsent(resource, this::build);
  }

  private CostTable build(Resource resource) {
    BuildCostTableRequest request =
        BuildCostTableRequest.newBuilder()
            .setTarget(target)
            .setNetwork(networkMessage)
            .setResource(CostWire.toProto(resource))
            .setCountCodebooks(codebooks)
            .build();
    return CostWire.fromProto(
        calls.call(GrpcBackends.SIMULATOR, () -> simulator.buildCostTable(request)).getTable());
  }

  @Override
  public Cost simulate(Policy policy) {
    SimulateRequest.Builder request =
        SimulateRequest.newBuilder()
            .setTarget(target)
            .setNetwork(networkMessage)
            .setPolicy(BitsWire.toProto(policy, network))
            .setCountCodebooks(codebooks);
    if (hasFloat(policy)) {
      // Layers left in float have a size but no latency here.
      request.addResources(CostWire.toProto(Resource.MODEL_SIZE));
    }
    return CostWire.fromProto(
        calls.call(GrpcBackends.SIMULATOR, () -> simulator.simulate(request.build())).getTotal());
  }

  private static boolean hasFloat(Policy policy) {
    return policy.layers().stream()
        .anyMatch(bits -> bits.weights().isFloat() || bits.activations().isFloat());
  }
}
