package dev.haq.hwsim;

import dev.haq.model.FeatureMap;
import dev.haq.model.Layer;
import dev.haq.model.LayerBits;
import dev.haq.model.Network;
import dev.haq.model.Policy;
import dev.haq.model.Window;
import dev.haq.proto.hwsim.v1.BuildCostTableRequest;
import dev.haq.proto.hwsim.v1.ExplainRequest;
import dev.haq.proto.hwsim.v1.FindParameterRequest;
import dev.haq.proto.hwsim.v1.HardwareSimulatorGrpc;
import dev.haq.proto.hwsim.v1.ListTargetsRequest;
import dev.haq.proto.hwsim.v1.SimulateRequest;
import dev.haq.proto.hwsim.v1.Target;
import dev.haq.proto.hwsim.v1.TargetRef;
import dev.haq.proto.model.v1.Resource;
import dev.haq.rpc.RpcChannel;
import dev.haq.rpc.ServiceRuntime;
import dev.haq.wire.BitsWire;
import dev.haq.wire.NetworkWire;
import java.time.Duration;
import java.util.Random;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How long the largest requests take: 10,000 layers, all different and large, over gRPC, on every
 * target, one image in a batch. A program to run by hand: {@code LargeNetworks [LAYERS]}.
 */
public final class LargeNetworks {
  private static final Logger LOG = LoggerFactory.getLogger(LargeNetworks.class);

  private LargeNetworks() {}

  /** Convolutions of which hardly two are alike, up to 2048 channels and maps of 256 x 256. */
  public static Network convolutions(int layers) {
    Random random = new Random(5);
    return new Network(
        "",
        "large",
        IntStream.range(0, layers).mapToObj(i -> convolution("l" + i, random)).toList(),
        0);
  }

  private static Layer convolution(String name, Random random) {
    FeatureMap map = FeatureMap.square(16 + random.nextInt(241));
    int kernel = 1 + 2 * random.nextInt(4);
    return new Layer.Conv2d(
        name,
        64 + random.nextInt(1985),
        64 + random.nextInt(1985),
        1,
        Window.square(kernel, 1, kernel / 2),
        map,
        map,
        0);
  }

  public static void main(String[] args) throws Exception {
    int layers = args.length > 0 ? Integer.parseInt(args[0]) : 10_000;
    Network network = convolutions(layers);
    dev.haq.proto.model.v1.Network message = NetworkWire.toProto(network);
    try (ServiceRuntime runtime = ServiceRuntime.create();
        HwsimService service =
            HwsimService.start(runtime, HwsimSettings.defaults().withAddress("127.0.0.1", 0));
        RpcChannel channel =
            RpcChannel.open("127.0.0.1:" + service.port(), Duration.ofMinutes(10))) {
      HardwareSimulatorGrpc.HardwareSimulatorBlockingStub simulator =
          HardwareSimulatorGrpc.newBlockingStub(channel.channel())
              .withMaxInboundMessageSize(Integer.MAX_VALUE);
      for (Target known :
          simulator.listTargets(ListTargetsRequest.getDefaultInstance()).getTargetsList()) {
        TargetRef target = TargetRef.newBuilder().setName(known.getName()).setBatch(1).build();
        dev.haq.proto.model.v1.Policy policy =
            BitsWire.toProto(Policy.uniform(layers, LayerBits.of(4, activations(known))), network);
        time(
            known.getName() + " BuildCostTable",
            () ->
                simulator.buildCostTable(
                    BuildCostTableRequest.newBuilder()
                        .setTarget(target)
                        .setNetwork(message)
                        .setResource(Resource.LATENCY)
                        .build()));
        time(
            known.getName() + " Simulate",
            () ->
                simulator.simulate(
                    SimulateRequest.newBuilder()
                        .setTarget(target)
                        .setNetwork(message)
                        .setPolicy(policy)
                        .build()));
        time(
            known.getName() + " Explain",
            () ->
                simulator.explain(
                    ExplainRequest.newBuilder()
                        .setTarget(target)
                        .setNetwork(message)
                        .setPolicy(policy)
                        .build()));
        time(
            known.getName() + " FindParameter",
            () ->
                simulator.findParameter(
                    FindParameterRequest.newBuilder()
                        .setTarget(target)
                        .setNetwork(message)
                        .setPolicy(policy)
                        .setKey("clock_hz")
                        .setLowest(1e6)
                        .setHighest(1e12)
                        .setLatencySeconds(1)
                        .build()));
      }
    }
  }

  private static int activations(Target target) {
    return target.getActivationBits().getBitsList().contains(4) ? 4 : 8;
  }

  private static void time(String what, Runnable call) {
    long start = System.nanoTime();
    String end = "";
    try {
      call.run();
    } catch (io.grpc.StatusRuntimeException e) {
      end = ", refused: " + e.getStatus().getDescription();
    }
    LOG.info("{}: {} ms{}", what, Math.round((System.nanoTime() - start) * 1e-6), end);
  }
}
