package dev.haq.hwsim;

import dev.haq.model.LayerBits;
import dev.haq.model.Network;
import dev.haq.model.Policy;
import dev.haq.proto.hwsim.v1.HardwareSimulatorGrpc;
import dev.haq.proto.hwsim.v1.SimulateRequest;
import dev.haq.proto.hwsim.v1.TargetRef;
import dev.haq.rpc.RpcChannel;
import dev.haq.wire.BitsWire;
import dev.haq.wire.NetworkWire;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Simulate of MobileNetV2 on {@code bitfusion} over gRPC, by four callers, against replicas that
 * are processes of their own: one, two, and two of which one is killed ({@code kill -9}), started
 * again and killed again. Every call asks for another policy, so no answer comes from a cache.
 *
 * <p>{@code ThroughputBench [SECONDS [KILLS]]}; started by hand, for it takes two cores. Ends with
 * status 1 when a call failed.
 */
public final class ThroughputBench {
  private static final Logger LOG = LoggerFactory.getLogger(ThroughputBench.class);
  private static final int CALLERS = 4;
  private static final Network NETWORK = Networks.mobileNetV2();

  private ThroughputBench() {}

  public static void main(String[] args) throws Exception {
    int seconds = args.length > 0 ? Integer.parseInt(args[0]) : 10;
    int kills = args.length > 1 ? Integer.parseInt(args[1]) : 3;
    int failed = 0;
    if (seconds > 0) {
      failed += run("one replica", 1, seconds, 0);
      failed += run("two replicas", 2, seconds, 0);
    }
    failed += run("two replicas, one killed " + kills + " times", 2, seconds, kills);
    if (failed > 0) {
      throw new IllegalStateException(failed + " calls failed");
    }
  }

  /** Calls that failed. */
  private static int run(String name, int replicas, int seconds, int kills) throws Exception {
    List<Integer> ports = new ArrayList<>();
    List<Process> processes = new ArrayList<>();
    try {
      for (int i = 0; i < replicas; i++) {
        ports.add(freePort());
        processes.add(start(ports.get(i)));
      }
      for (int port : ports) {
        awaitReady(port);
      }
      String target =
          ports.stream().map(port -> "127.0.0.1:" + port).collect(Collectors.joining(","));
      try (RpcChannel channel = RpcChannel.open(target, Duration.ofSeconds(30))) {
        measure(channel, after(3)); // warms the replicas up
        long start = System.nanoTime();
        CompletableFuture<Void> over =
            kills == 0 ? after(seconds) : killing(kills, ports.get(0), processes);
        Result result = measure(channel, over);
        LOG.info("{}: {}", name, result.text((System.nanoTime() - start) * 1e-9));
        return result.failed();
      }
    } finally {
      processes.forEach(Process::destroyForcibly);
    }
  }

  private static CompletableFuture<Void> after(int seconds) {
    return CompletableFuture.runAsync(
        () -> {}, CompletableFuture.delayedExecutor(seconds, TimeUnit.SECONDS));
  }

  /** Kills the first replica, starts it again, lets it take calls for a second; and so on. */
  private static CompletableFuture<Void> killing(int kills, int port, List<Process> processes) {
    return CompletableFuture.runAsync(
        () -> {
          try {
            for (int i = 0; i < kills; i++) {
              TimeUnit.SECONDS.sleep(1);
              processes.get(0).destroyForcibly().waitFor();
              processes.set(0, start(port));
              awaitReady(port);
            }
          } catch (Exception e) {
            throw new IllegalStateException(e);
          }
        });
  }

  /** Milliseconds of every answered call, and calls that failed. */
  private record Result(double[] milliseconds, int failed) {
    String text(double seconds) {
      double[] sorted = milliseconds.clone();
      Arrays.sort(sorted);
      return "%.0f calls/s, p50 %.2f ms, p99 %.2f ms, %d calls, %d failed"
          .formatted(
              sorted.length / seconds,
              sorted[sorted.length / 2],
              sorted[(int) (sorted.length * 0.99)],
              sorted.length,
              failed);
    }
  }

  private static Result measure(RpcChannel channel, CompletableFuture<Void> over) throws Exception {
    ExecutorService callers = Executors.newFixedThreadPool(CALLERS);
    AtomicInteger failed = new AtomicInteger();
    List<Future<List<Double>>> all = new ArrayList<>();
    for (int caller = 0; caller < CALLERS; caller++) {
      Random random = new Random(System.nanoTime() + caller);
      all.add(callers.submit(() -> call(channel, random, over, failed)));
    }
    List<Double> times = new ArrayList<>();
    for (Future<List<Double>> one : all) {
      times.addAll(one.get());
    }
    callers.shutdown();
    over.join();
    return new Result(times.stream().mapToDouble(Double::doubleValue).toArray(), failed.get());
  }

  private static List<Double> call(
      RpcChannel channel, Random random, CompletableFuture<Void> over, AtomicInteger failed) {
    HardwareSimulatorGrpc.HardwareSimulatorBlockingStub stub =
        HardwareSimulatorGrpc.newBlockingStub(channel.channel());
    SimulateRequest request =
        SimulateRequest.newBuilder()
            .setTarget(TargetRef.newBuilder().setName("bitfusion"))
            .setNetwork(NetworkWire.toProto(NETWORK))
            .build();
    List<Double> times = new ArrayList<>();
    while (!over.isDone()) {
      List<LayerBits> bits = new ArrayList<>();
      for (int layer = 0; layer < NETWORK.size(); layer++) {
        bits.add(LayerBits.of(2 + random.nextInt(7), 2 + random.nextInt(7)));
      }
      long start = System.nanoTime();
      try {
        stub.simulate(
            request.toBuilder().setPolicy(BitsWire.toProto(new Policy(bits), NETWORK)).build());
        times.add((System.nanoTime() - start) * 1e-6);
      } catch (io.grpc.StatusRuntimeException e) {
        failed.incrementAndGet();
        LOG.warn("a call failed: {}", e.getMessage());
      }
    }
    return times;
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  private static Process start(int port) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("java.class.path"),
            HwsimService.class.getName());
    builder.environment().put("HAQ_HWSIM_HOST", "127.0.0.1");
    builder.environment().put("HAQ_HWSIM_PORT", Integer.toString(port));
    return builder
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .redirectErrorStream(true)
        .start();
  }

  private static void awaitReady(int port) throws Exception {
    HttpClient http = HttpClient.newHttpClient();
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/readyz")).build();
    for (int i = 0; i < 300; i++) {
      try {
        if (http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode() == 200) {
          return;
        }
      } catch (IOException e) {
        LOG.debug("not yet: {}", e.getMessage());
      }
      TimeUnit.MILLISECONDS.sleep(100);
    }
    throw new IllegalStateException("no replica became ready on port " + port);
  }
}
