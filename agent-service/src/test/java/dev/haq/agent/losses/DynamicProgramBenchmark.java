package dev.haq.agent.losses;

import dev.haq.agent.search.DecisionLoss;
import dev.haq.agent.search.Reward;
import dev.haq.agent.search.SearchSpace;
import dev.haq.agent.search.Sensitivities;
import dev.haq.agent.search.SyntheticProblem;
import dev.haq.model.BitChoices;
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

/**
 * How long the whole front of a network as deep as MobileNetV2 takes: 52 layers, 49 pairs of widths
 * in each of the 50 that are free.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
public class DynamicProgramBenchmark {
  private SearchSpace space;
  private DecisionLoss loss;

  @Setup
  public void measure() {
    SyntheticProblem problem = new SyntheticProblem(25, 1);
    space = new SearchSpace(problem.settings(0.5, 1, 1));
    Sensitivities measured = problem.measure(BitChoices.PAPER, BitChoices.PAPER);
    loss = measured.losses(Reward.KL_DIVERGENCE);
  }

  @Benchmark
  public Object fine() {
    return BudgetedProgram.of(space, loss, DynamicProgram.FINE).best();
  }

  @Benchmark
  public Object coarse() {
    return BudgetedProgram.of(space, loss, DynamicProgram.COARSE).best();
  }

  @Benchmark
  public Object trades() {
    Exchange exchange = new Exchange(space, loss);
    return exchange.neighbours(exchange.descended());
  }

  public static void main(String[] args) throws RunnerException {
    new Runner(new OptionsBuilder().include(DynamicProgramBenchmark.class.getName()).build()).run();
  }
}
