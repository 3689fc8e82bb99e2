package dev.haq.hwsim.grpc;

import dev.haq.hwsim.HwsimSettings;
import dev.haq.hwsim.accelerator.Accelerator;
import dev.haq.hwsim.accelerator.Catalogue;
import dev.haq.hwsim.cost.CostModel;
import dev.haq.hwsim.cost.CostTableBuilder;
import dev.haq.hwsim.cost.Simulation;
import dev.haq.model.BitChoices;
import dev.haq.model.CostTable;
import dev.haq.model.HaqException;
import dev.haq.model.Network;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import dev.haq.model.Resource;
import dev.haq.proto.hwsim.v1.BuildCostTableRequest;
import dev.haq.proto.hwsim.v1.BuildCostTableResponse;
import dev.haq.proto.hwsim.v1.GetTargetRequest;
import dev.haq.proto.hwsim.v1.HardwareSimulatorGrpcService;
import dev.haq.proto.hwsim.v1.ListTargetsRequest;
import dev.haq.proto.hwsim.v1.ListTargetsResponse;
import dev.haq.proto.hwsim.v1.SimulateRequest;
import dev.haq.proto.hwsim.v1.SimulateResponse;
import dev.haq.proto.hwsim.v1.Target;
import dev.haq.proto.hwsim.v1.TargetRef;
import dev.haq.rpc.Call;
import dev.haq.rpc.RpcService;
import dev.haq.wire.BitsWire;
import dev.haq.wire.CostWire;
import dev.haq.wire.NetworkWire;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** {@code haq.hwsim.v1.HardwareSimulator}: each method decodes, calls, encodes. */
public final class HardwareSimulatorHandler {
  private static final int PAGE_SIZE = 100;

  private final Catalogue catalogue;
  private final HwsimSettings.Limits limits;

  public HardwareSimulatorHandler(Catalogue catalogue, HwsimSettings.Limits limits) {
    this.catalogue = catalogue;
    this.limits = limits;
  }

  /** The methods, for a server. */
  public RpcService service() {
    return RpcService.named(
            HardwareSimulatorGrpcService.SERVICE_NAME,
            HardwareSimulatorGrpcService.SERVICE_DESCRIPTOR)
        .unary(HardwareSimulatorGrpcService.ListTargets, this::listTargets)
        .unary(HardwareSimulatorGrpcService.GetTarget, this::getTarget)
        .unary(HardwareSimulatorGrpcService.BuildCostTable, this::buildCostTable)
        .unary(HardwareSimulatorGrpcService.Simulate, this::simulate);
  }

  private ListTargetsResponse listTargets(ListTargetsRequest request, Call call) {
    List<Accelerator> all = catalogue.all();
    int from = pageStart(request.getPageToken(), all.size());
    if (request.getPageSize() < 0) {
      throw HaqException.invalid("page_size %d must not be negative", request.getPageSize());
    }
    int size = request.getPageSize() == 0 ? PAGE_SIZE : Math.min(request.getPageSize(), PAGE_SIZE);
    int to = Math.min(all.size(), from + size);
    return ListTargetsResponse.newBuilder()
        .addAllTargets(all.subList(from, to).stream().map(TargetWire::toProto).toList())
        .setNextPageToken(to < all.size() ? Integer.toString(to) : "")
        .build();
  }

  private static int pageStart(String token, int size) {
    if (token.isEmpty()) {
      return 0;
    }
    if (token.matches("[0-9]{1,6}") && Integer.parseInt(token) <= size) {
      return Integer.parseInt(token);
    }
    throw HaqException.invalid(
        "page_token '%s' is not one of this service: use next_page_token, or none", token);
  }

  private Target getTarget(GetTargetRequest request, Call call) {
    return TargetWire.toProto(catalogue.get(request.getName()));
  }

  private BuildCostTableResponse buildCostTable(BuildCostTableRequest request, Call call) {
    long start = System.nanoTime();
    Network network = network(request.hasNetwork(), request.getNetwork());
    CostModel model = model(request.getTarget());
    BitChoices weightBits =
        request.hasWeightBits() ? BitsWire.fromProto(request.getWeightBits()) : model.weightBits();
    BitChoices activationBits =
        request.hasActivationBits()
            ? BitsWire.fromProto(request.getActivationBits())
            : model.activationBits();
    CostTable table =
        CostTableBuilder.build(
            network, model, CostWire.fromProto(request.getResource()), weightBits, activationBits);
    return BuildCostTableResponse.newBuilder()
        .setTable(CostWire.toProto(table))
        .setSeconds((System.nanoTime() - start) * 1e-9)
        .build();
  }

  private SimulateResponse simulate(SimulateRequest request, Call call) {
    Network network = network(request.hasNetwork(), request.getNetwork());
    CostModel model = model(request.getTarget());
    Policy policy = BitsWire.fromProto(request.getPolicy(), network);
    Set<Resource> resources = EnumSet.noneOf(Resource.class);
    request.getResourcesList().forEach(resource -> resources.add(CostWire.fromProto(resource)));
    Simulation simulation =
        Simulation.of(network, model, policy, resources, request.getExcludeFirstAndLast());
    return SimulateResponse.newBuilder()
        .addAllLayers(simulation.layers().stream().map(CostWire::toProto).toList())
        .setTotal(CostWire.toProto(simulation.total()))
        .setBatch(model.batch())
        .setExtrapolated(simulation.extrapolated())
        .build();
  }

  private Network network(boolean present, dev.haq.proto.model.v1.Network message) {
    if (!present) {
      throw HaqException.invalid("network is missing: give its layers");
    }
    if (message.getLayersCount() > limits.layers()) {
      throw new HaqException(
          Reason.TOO_LARGE,
          "network.layers has %d layers, more than the %d this service takes"
              .formatted(message.getLayersCount(), limits.layers()));
    }
    return NetworkWire.fromProto(message);
  }

  private CostModel model(TargetRef target) {
    int batch = target.getBatch();
    if (batch < 0 || batch > limits.batch()) {
      throw HaqException.invalid(
          "target.batch is %d: give 1 to %d, or 0 for the target's own", batch, limits.batch());
    }
    return switch (target.getTargetCase()) {
      case NAME -> {
        Accelerator accelerator = catalogue.get(target.getName());
        yield accelerator.costModel(batch == 0 ? accelerator.batch() : batch);
      }
      case LOOKUP_TABLE -> TargetWire.lookupTable(target.getLookupTable(), batch);
      case TARGET_NOT_SET ->
          throw HaqException.invalid("target is missing: give a name or a lookup_table");
    };
  }
}
