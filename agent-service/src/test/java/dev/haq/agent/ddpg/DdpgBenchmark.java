package dev.haq.agent.ddpg;

import dev.haq.agent.search.Experience;
import dev.haq.agent.search.Observation;
import dev.haq.agent.search.ObservationSpace;
import dev.haq.agent.search.Transition;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/** How long one update, one action and one snapshot of the paper's agent take. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
public class DdpgBenchmark {
  private static final int DECISIONS = 40;
  private static final Policy ANY = Policy.uniform(DECISIONS, LayerBits.of(8, 8));

  private Ddpg agent;

  @Setup
  public void learnALittle() {
    agent = new Ddpg(DdpgSettings.DEFAULTS, DECISIONS, 1);
    for (int n = 1; n <= DdpgSettings.DEFAULTS.warmupEpisodes() + 1; n++) {
      agent.beginEpisode(n, List.of());
      List<Transition> steps = new ArrayList<>();
      for (int k = 0; k < DECISIONS; k++) {
        steps.add(new Transition(observation(k), agent.act(observation(k))));
      }
      agent.learn(new Experience(n, steps, ANY, -1.0 / n));
    }
  }

  @Benchmark
  public void update() {
    agent.update();
  }

  @Benchmark
  public double act() {
    return agent.act(observation(3));
  }

  @Benchmark
  public byte[] snapshot() {
    return agent.snapshot();
  }

  public static void main(String[] args) throws RunnerException {
    new Runner(new OptionsBuilder().include(DdpgBenchmark.class.getName()).build()).run();
  }

  private static Observation observation(int step) {
    float[] values = new float[ObservationSpace.SIZE];
    for (int d = 0; d < values.length; d++) {
      values[d] = (step * 7 + d * 3) % 10 / 10f;
    }
    return new Observation(values);
  }
}
