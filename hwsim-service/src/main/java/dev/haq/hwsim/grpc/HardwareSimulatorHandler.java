package dev.haq.hwsim.grpc;

import com.google.protobuf.Message;
import dev.haq.hwsim.HwsimSettings;
import dev.haq.hwsim.accelerator.Accelerator;
import dev.haq.hwsim.accelerator.AcceleratorFile;
import dev.haq.hwsim.accelerator.Catalogue;
import dev.haq.hwsim.cost.CostModel;
import dev.haq.hwsim.cost.CostTableBuilder;
import dev.haq.hwsim.cost.Explanation;
import dev.haq.hwsim.cost.Simulation;
import dev.haq.hwsim.cost.SmallestParameter;
import dev.haq.model.BitChoices;
import dev.haq.model.CostTable;
import dev.haq.model.HaqException;
import dev.haq.model.Network;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import dev.haq.model.Resource;
import dev.haq.proto.hwsim.v1.BuildCostTableRequest;
import dev.haq.proto.hwsim.v1.BuildCostTableResponse;
import dev.haq.proto.hwsim.v1.ExplainRequest;
import dev.haq.proto.hwsim.v1.ExplainResponse;
import dev.haq.proto.hwsim.v1.FindParameterRequest;
import dev.haq.proto.hwsim.v1.FindParameterResponse;
import dev.haq.proto.hwsim.v1.GetTargetRequest;
import dev.haq.proto.hwsim.v1.HardwareSimulatorGrpcService;
import dev.haq.proto.hwsim.v1.ListTargetsRequest;
import dev.haq.proto.hwsim.v1.ListTargetsResponse;
import dev.haq.proto.hwsim.v1.SimulateBatchRequest;
import dev.haq.proto.hwsim.v1.SimulateBatchResponse;
import dev.haq.proto.hwsim.v1.SimulateRequest;
import dev.haq.proto.hwsim.v1.SimulateResponse;
import dev.haq.proto.hwsim.v1.Target;
import dev.haq.proto.hwsim.v1.TargetRef;
import dev.haq.rpc.Call;
import dev.haq.rpc.RpcService;
import dev.haq.wire.BitsWire;
import dev.haq.wire.CostWire;
import dev.haq.wire.NetworkWire;
import dev.haq.wire.Page;
import io.micrometer.core.instrument.LongTaskTimer;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/** {@code haq.hwsim.v1.HardwareSimulator}: each method decodes, calls, encodes. */
public final class HardwareSimulatorHandler {
  private final Catalogue catalogue;
  private final HwsimSettings.Limits limits;
  private final MeterRegistry metrics;
  private final Targets targets;
  private final AnswerCache cache;

  /** What is being computed now: falls to nothing once nobody waits any more. */
  private final LongTaskTimer computing;

  /**
   * @param metrics times of calls by target, and the cache's hits
   */
  public HardwareSimulatorHandler(
      Catalogue catalogue, HwsimSettings.Limits limits, MeterRegistry metrics) {
    this.catalogue = catalogue;
    this.limits = limits;
    this.metrics = metrics;
    this.targets = new Targets(catalogue, limits.batch());
    this.cache = new AnswerCache(limits.cacheBytes(), metrics);
    this.computing =
        LongTaskTimer.builder("haq.hwsim.computing")
            .description("Answers being computed now")
            .register(metrics);
  }

  /** The methods, for a server. */
  public RpcService service() {
    return RpcService.named(
            HardwareSimulatorGrpcService.SERVICE_NAME,
            HardwareSimulatorGrpcService.SERVICE_DESCRIPTOR)
        .unary(HardwareSimulatorGrpcService.ListTargets, this::listTargets)
        .unary(HardwareSimulatorGrpcService.GetTarget, this::getTarget)
        .unary(HardwareSimulatorGrpcService.BuildCostTable, this::buildCostTable)
        .unary(HardwareSimulatorGrpcService.Simulate, this::simulate)
        .unary(HardwareSimulatorGrpcService.SimulateBatch, this::simulateBatch)
        .unary(HardwareSimulatorGrpcService.Explain, this::explain)
        .unary(HardwareSimulatorGrpcService.FindParameter, this::findParameter);
  }

  private ListTargetsResponse listTargets(ListTargetsRequest request, Call call) {
    List<Accelerator> all = catalogue.all();
    Page page = Page.of(request.getPageToken(), request.getPageSize(), all.size());
    return ListTargetsResponse.newBuilder()
        .addAllTargets(
            all.subList(page.from(), page.to()).stream().map(TargetWire::toProto).toList())
        .setNextPageToken(page.next(all.size()))
        .build();
  }

  private Target getTarget(GetTargetRequest request, Call call) {
    if (request.hasTarget() && !request.getName().isEmpty()) {
      throw HaqException.invalid("name and target are both given: leave one out");
    }
    TargetRef target =
        request.hasTarget()
            ? request.getTarget()
            : TargetRef.newBuilder().setName(request.getName()).build();
    return targets.describe(target, request.getAcceleratorOrigin());
  }

  private BuildCostTableResponse buildCostTable(BuildCostTableRequest request, Call call) {
    long start = System.nanoTime();
    BuildCostTableResponse response =
        answer(
            "BuildCostTable",
            request.getTarget(),
            request,
            BuildCostTableResponse.class,
            () -> computeCostTable(request, call));
    return response.toBuilder().setSeconds((System.nanoTime() - start) * 1e-9).build();
  }

  private BuildCostTableResponse computeCostTable(BuildCostTableRequest request, Call call) {
    Network network = network(request.hasNetwork(), request.getNetwork());
    CostModel model = targets.model(request.getTarget());
    BitChoices weightBits =
        request.hasWeightBits() ? BitsWire.fromProto(request.getWeightBits()) : model.weightBits();
    BitChoices activationBits =
        request.hasActivationBits()
            ? BitsWire.fromProto(request.getActivationBits())
            : model.activationBits();
    CostTable table =
        CostTableBuilder.build(
            network,
            model,
            CostWire.fromProto(request.getResource()),
            weightBits,
            activationBits,
            request.getCountCodebooks(),
            checkpoint(call));
    return BuildCostTableResponse.newBuilder()
        .setTable(
            CostWire.toProto(table).toBuilder()
                .setBatch(table.resource() == Resource.MODEL_SIZE ? 0 : model.batch()))
        .build();
  }

  private SimulateResponse simulate(SimulateRequest request, Call call) {
    return answer(
        "Simulate",
        request.getTarget(),
        request,
        SimulateResponse.class,
        () -> {
          Network network = network(request.hasNetwork(), request.getNetwork());
          CostModel model = targets.model(request.getTarget());
          Set<Resource> resources = resources(request.getResourcesList());
          return simulate(
              network,
              model,
              request.getPolicy(),
              resources,
              request.getExcludeFirstAndLast(),
              request.getCountCodebooks(),
              checkpoint(call));
        });
  }

  private SimulateResponse simulate(
      Network network,
      CostModel model,
      dev.haq.proto.model.v1.Policy message,
      Set<Resource> resources,
      boolean excludeFirstAndLast,
      boolean codebooks,
      Runnable checkpoint) {
    Policy policy = BitsWire.fromProto(message, network);
    Simulation simulation =
        Simulation.of(
            network, model, policy, resources, excludeFirstAndLast, codebooks, checkpoint);
    return SimulateResponse.newBuilder()
        .addAllLayers(simulation.layers().stream().map(CostWire::toProto).toList())
        .setTotal(CostWire.toProto(simulation.total()))
        .setBatch(model.batch())
        .setExtrapolated(simulation.extrapolated())
        .build();
  }

  private SimulateBatchResponse simulateBatch(SimulateBatchRequest request, Call call) {
    return answer(
        "SimulateBatch",
        request.getTarget(),
        request,
        SimulateBatchResponse.class,
        () -> {
          if (request.getPoliciesCount() > limits.policies()) {
            throw new HaqException(
                Reason.TOO_LARGE,
                "policies has %d entries, more than the %d this service takes: send several calls"
                    .formatted(request.getPoliciesCount(), limits.policies()));
          }
          Network network = network(request.hasNetwork(), request.getNetwork());
          CostModel model = targets.model(request.getTarget());
          Set<Resource> resources = resources(request.getResourcesList());
          Runnable checkpoint = checkpoint(call);
          SimulateBatchResponse.Builder results = SimulateBatchResponse.newBuilder();
          for (dev.haq.proto.model.v1.Policy policy : request.getPoliciesList()) {
            results.addResults(
                simulate(
                    network,
                    model,
                    policy,
                    resources,
                    request.getExcludeFirstAndLast(),
                    request.getCountCodebooks(),
                    checkpoint));
            if (results.getResultsCount() == 1) {
              checkAnswerFits(results.getResults(0), request.getPoliciesCount());
            }
          }
          return results.build();
        });
  }

  /** All results of a batch are of one network, so nearly of one size. */
  private void checkAnswerFits(SimulateResponse one, int policies) {
    long size = one.getSerializedSize();
    if (size * policies > limits.messageBytes()) {
      throw new HaqException(
          Reason.TOO_LARGE,
          "the answer for %d policies of %d layers would be larger than the %d bytes this service sends: send several calls of at most %d policies"
              .formatted(
                  policies,
                  one.getLayersCount(),
                  limits.messageBytes(),
                  Math.max(1, limits.messageBytes() / size)));
    }
  }

  private ExplainResponse explain(ExplainRequest request, Call call) {
    return answer(
        "Explain",
        request.getTarget(),
        request,
        ExplainResponse.class,
        () -> {
          Network network = network(request.hasNetwork(), request.getNetwork());
          CostModel model = targets.model(request.getTarget());
          Policy policy = BitsWire.fromProto(request.getPolicy(), network);
          Runnable checkpoint = checkpoint(call);
          Simulation simulation =
              Simulation.of(network, model, policy, model.resources(), false, false, checkpoint);
          return ExplainResponse.newBuilder()
              .addAllLayers(
                  Explanation.of(network, model, policy, simulation, checkpoint).stream()
                      .map(ExplanationWire::toProto)
                      .toList())
              .setTotal(CostWire.toProto(simulation.total()))
              .setBatch(model.batch())
              .setExtrapolated(simulation.extrapolated())
              .build();
        });
  }

  private FindParameterResponse findParameter(FindParameterRequest request, Call call) {
    return answer(
        "FindParameter",
        request.getTarget(),
        request,
        FindParameterResponse.class,
        () -> {
          Network network = network(request.hasNetwork(), request.getNetwork());
          Policy policy = BitsWire.fromProto(request.getPolicy(), network);
          int batch = targets.batch(request.getTarget());
          AcceleratorFile file = targets.file(request.getTarget());
          String key = request.getKey();
          Runnable checkpoint = checkpoint(call);
          SmallestParameter found =
              SmallestParameter.find(
                  key,
                  request.getLowest(),
                  request.getHighest(),
                  file.isWhole(key),
                  request.getLatencySeconds(),
                  value ->
                      Simulation.of(
                          network,
                          targets.model(file.with(Map.of(key, value)), batch),
                          policy,
                          EnumSet.of(Resource.LATENCY),
                          false,
                          false,
                          checkpoint));
          return FindParameterResponse.newBuilder()
              .setValue(found.value())
              .setCost(CostWire.toProto(found.simulation().total()))
              .setSimulations(found.simulations())
              .setBatch(targets.model(file, batch).batch())
              .setExtrapolated(found.simulation().extrapolated())
              .build();
        });
  }

  /** A kept answer or a new one, timed by target. */
  private <R extends Message> R answer(
      String rpc, TargetRef target, Message request, Class<R> type, Supplier<R> compute) {
    Timer.Sample started = Timer.start(metrics);
    R answer = cache.get(request, type, () -> computing.record(compute));
    // Only what was answered: the names in refused requests are without number.
    started.stop(
        Timer.builder("haq.hwsim.answers")
            .description("Calls answered, by method and target")
            .tag("rpc", rpc)
            .tag("target", Targets.label(target))
            .register(metrics));
    return answer;
  }

  /** To be run between two cells: whether the call may go on. Its time starts now. */
  private Runnable checkpoint(Call call) {
    long start = System.nanoTime();
    return () -> {
      call.throwIfCancelled();
      if ((System.nanoTime() - start) * 1e-9 > limits.seconds()) {
        throw new HaqException(
            Reason.DEADLINE_EXCEEDED,
            "this takes more than the %s s of computing that the service gives one call: ask for fewer layers, or a smaller batch"
                .formatted(limits.seconds()));
      }
    };
  }

  private static Set<Resource> resources(List<dev.haq.proto.model.v1.Resource> messages) {
    Set<Resource> resources = EnumSet.noneOf(Resource.class);
    messages.forEach(resource -> resources.add(CostWire.fromProto(resource)));
    return resources;
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
}
