package dev.haq.hwsim.cost;

import dev.haq.hwsim.Networks;
import dev.haq.hwsim.accelerator.Accelerator;
import dev.haq.hwsim.accelerator.Catalogue;
import dev.haq.model.BitChoices;
import dev.haq.model.CostTable;
import dev.haq.model.LayerBits;
import dev.haq.model.Network;
import dev.haq.model.Policy;
import dev.haq.model.Resource;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/**
 * How long MobileNetV2's 3,392 cells and one simulation take: single shots from a cold start, and
 * the average after warm-up.
 */
@State(Scope.Benchmark)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
public class CostTableBenchmark {
  @Param({"bismo-cloud", "bismo-edge", "bitfusion"})
  String target;

  private final Network network = Networks.mobileNetV2();
  private final Policy policy = Policy.uniform(network.size(), LayerBits.of(6, 5));

  private Accelerator accelerator;

  @Setup
  public void readTarget() {
    accelerator = Catalogue.builtIn().file(target).accelerator();
  }

  /** A new one every time, as for every request: what a model keeps is cold. */
  private CostModel model() {
    return accelerator.costModel(accelerator.batch());
  }

  @Benchmark
  public CostTable costTable() {
    return PlainCosts.table(network, model(), Resource.LATENCY, BitChoices.TABLE, BitChoices.TABLE);
  }

  @Benchmark
  public Simulation simulation() {
    return PlainCosts.simulation(network, model(), policy, Set.of(Resource.LATENCY), false);
  }

  public static void main(String[] args) throws RunnerException {
    // The first call of a new process, then calls of one that is warm.
    new Runner(
            options()
                .mode(Mode.SingleShotTime)
                .forks(5)
                .warmupIterations(0)
                .measurementIterations(1)
                .build())
        .run();
    new Runner(
            options()
                .mode(Mode.AverageTime)
                .forks(1)
                .warmupIterations(3)
                .warmupTime(TimeValue.seconds(1))
                .measurementIterations(3)
                .measurementTime(TimeValue.seconds(1))
                .build())
        .run();
  }

  private static ChainedOptionsBuilder options() {
    return new OptionsBuilder().include(CostTableBenchmark.class.getName());
  }
}
