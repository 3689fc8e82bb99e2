package dev.haq.agent;

import dev.haq.model.BitChoices;
import dev.haq.model.BitWidth;
import dev.haq.model.Cost;
import dev.haq.model.CostTable;
import dev.haq.model.HaqException;
import dev.haq.model.Layer;
import dev.haq.model.LayerBits;
import dev.haq.model.Network;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import dev.haq.model.Resource;
import dev.haq.proto.hwsim.v1.BuildCostTableRequest;
import dev.haq.proto.hwsim.v1.BuildCostTableResponse;
import dev.haq.proto.hwsim.v1.HardwareSimulatorGrpcService;
import dev.haq.proto.hwsim.v1.SimulateRequest;
import dev.haq.proto.hwsim.v1.SimulateResponse;
import dev.haq.rpc.Call;
import dev.haq.rpc.RpcServer;
import dev.haq.rpc.RpcService;
import dev.haq.rpc.ServiceRuntime;
import dev.haq.wire.BitsWire;
import dev.haq.wire.CostWire;
import dev.haq.wire.NetworkWire;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * A simulator that knows a few targets. {@code fake}: a product of bit-widths and MACs, no energy.
 */
final class FakeSimulator implements AutoCloseable {
  static final String TARGET = "fake";

  /** A target whose simulations contradict its table. */
  static final String LIAR = "liar";

  /** A target whose cost model no published figure checks. */
  static final String UNCHECKED = "unchecked";

  /** Pays for the bits that it moves, not for the products that it computes. */
  static final String MEMORY = "memory";

  /** Like {@code fake}, with even widths alone. */
  static final String EVEN = "even";

  /** Like {@code fake}, with odd widths alone. */
  static final String ODD = "odd";

  private static final Map<String, BitChoices> TARGETS =
      Map.of(
          TARGET, BitChoices.TABLE,
          LIAR, BitChoices.TABLE,
          UNCHECKED, BitChoices.TABLE,
          MEMORY, BitChoices.TABLE,
          EVEN, new BitChoices(List.of(2, 4, 6, 8)),
          ODD, new BitChoices(List.of(3, 5, 7)));

  private static final double SECONDS_PER_BINARY_MAC = 1e-9;
  private static final double SECONDS_PER_BIT_MOVED = 1e-9;

  private final RpcServer server;

  FakeSimulator(ServiceRuntime runtime) {
    server =
        RpcServer.builder(runtime, "fake-hwsim")
            .host("127.0.0.1")
            .service(
                RpcService.named(
                        HardwareSimulatorGrpcService.SERVICE_NAME,
                        HardwareSimulatorGrpcService.SERVICE_DESCRIPTOR)
                    .unary(HardwareSimulatorGrpcService.BuildCostTable, FakeSimulator::table)
                    .unary(HardwareSimulatorGrpcService.Simulate, FakeSimulator::simulate))
            .start();
  }

  String target() {
    return "127.0.0.1:" + server.port();
  }

  private static void check(String target) {
    if (!TARGETS.containsKey(target)) {
      throw new HaqException(
          Reason.UNKNOWN_TARGET, "there is no target '" + target + "': use " + TARGET);
    }
  }

  private static BuildCostTableResponse table(BuildCostTableRequest request, Call call) {
    check(request.getTarget().getName());
    Resource resource = CostWire.fromProto(request.getResource());
    if (resource == Resource.ENERGY) {
      throw new HaqException(
          Reason.RESOURCE_NOT_MODELLED, "the target has no energy model: use LATENCY");
    }
    Network network = NetworkWire.fromProto(request.getNetwork());
    String target = request.getTarget().getName();
    BitChoices bits = TARGETS.get(target);
    double[] values = new double[network.size() * bits.size() * bits.size()];
    int cell = 0;
    for (Layer layer : network.layers()) {
      for (int w : bits.bits()) {
        for (int a : bits.bits()) {
          values[cell++] = cost(target, layer, LayerBits.of(w, a)).of(resource);
        }
      }
    }
    CostTable table =
        new CostTable(
            resource,
            network.layers().stream().map(Layer::name).toList(),
            bits,
            bits,
            values,
            new double[0],
            request.getTarget().getName().equals(UNCHECKED));
    return BuildCostTableResponse.newBuilder().setTable(CostWire.toProto(table)).build();
  }

  private static SimulateResponse simulate(SimulateRequest request, Call call) {
    check(request.getTarget().getName());
    Network network = NetworkWire.fromProto(request.getNetwork());
    Policy policy = BitsWire.fromProto(request.getPolicy(), network);
    Cost total = new Cost(0, 0, OptionalDouble.empty(), 0);
    for (int i = 0; i < network.size(); i++) {
      total = total.plus(cost(request.getTarget().getName(), network.layer(i), policy.get(i)));
    }
    if (request.getTarget().getName().equals(LIAR)) {
      total =
          new Cost(0, total.latencySeconds() * 2, OptionalDouble.empty(), total.modelSizeBytes());
    }
    return SimulateResponse.newBuilder().setTotal(CostWire.toProto(total)).setBatch(1).build();
  }

  private static Cost cost(String target, Layer layer, LayerBits bits) {
    double binaryMacs = (double) layer.macs() * bits.weights().bits() * bits.activations().bits();
    double moved = (double) layer.macs() * (bits.weights().bits() + 2 * bits.activations().bits());
    BitWidth w = bits.weights();
    return new Cost(
        0,
        target.equals(MEMORY) ? moved * SECONDS_PER_BIT_MOVED : binaryMacs * SECONDS_PER_BINARY_MAC,
        OptionalDouble.empty(),
        layer.weights() * w.bits() / 8.0);
  }

  @Override
  public void close() {
    server.close();
  }
}
