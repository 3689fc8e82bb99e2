package dev.haq.cli;

import dev.haq.proto.agent.v1.Episode;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * What an episode takes besides the evaluation of its policy, early and late in a search: one
 * search for each agent, and the medians over ten episodes around each of some. An episode takes
 * the time from the end of the one before to its own; what is neither the agent's, the simulator's
 * nor the quantizer's is the rest: storing it with the agent's snapshot, above all. The times of
 * simulator and quantizer include their calls over gRPC. Means nothing with {@code --parallel}.
 */
@Command(name = "overhead-benchmark", mixinStandardHelpOptions = true)
final class OverheadBenchmark implements Callable<Integer> {
  private static final int WINDOW = 10;
  private static final double MILLIS = 1e3;

  @Mixin private CommonOptions common;
  @Mixin private SearchSetup setup;

  @Option(names = "--budget", defaultValue = "0.6", description = "Ratio.")
  private double budget;

  @Option(names = "--agents", split = ",", defaultValue = "ddpg,auto")
  private List<String> agents;

  @Option(names = "--seed", defaultValue = "1")
  private long seed;

  @Option(
      names = "--around",
      split = ",",
      defaultValue = "10,100,500,1000,2000",
      description = "Numbers of episodes.")
  private List<Integer> around;

  public static void main(String[] args) {
    System.exit(new CommandLine(new OverheadBenchmark()).execute(args));
  }

  @Override
  public Integer call() throws IOException {
    common
        .terminal()
        .line(
            "agent      episodes   agent ms  simulator ms  rest ms  outside ms  quantizer ms "
                + " share");
    setup.whileOpen(
        common,
        () ->
            agents.forEach(
                agent -> tell(agent, setup.episodes(setup.search(agent, budget, seed)))));
    return 0;
  }

  /** An episode's parts, in seconds. */
  private record Parts(double total, Episode episode) {
    static Parts of(Episode before, Episode episode) {
      return new Parts(seconds(episode) - seconds(before), episode);
    }

    private static double seconds(Episode episode) {
      return episode.getCreateTime().getSeconds() + 1e-9 * episode.getCreateTime().getNanos();
    }

    double outside() {
      return total - episode.getQuantizerSeconds();
    }

    double rest() {
      return outside() - episode.getAgentSeconds() - episode.getSimulatorSeconds();
    }
  }

  private void tell(String agent, List<Episode> episodes) {
    for (int number : around) {
      int last = Math.min(number + WINDOW / 2, episodes.size());
      int first = last - WINDOW + 1;
      if (number > last || first < 2) {
        continue;
      }
      List<Parts> window =
          IntStream.rangeClosed(first, last)
              .mapToObj(n -> Parts.of(episodes.get(n - 2), episodes.get(n - 1)))
              .toList();
      common
          .terminal()
          .line(
              String.format(
                  Locale.ROOT,
                  "%-9s %9s %10.1f %13.1f %8.1f %11.1f %13.1f %5.1f%%",
                  agent,
                  first + "-" + last,
                  MILLIS * median(window, p -> p.episode().getAgentSeconds()),
                  MILLIS * median(window, p -> p.episode().getSimulatorSeconds()),
                  MILLIS * median(window, Parts::rest),
                  MILLIS * median(window, Parts::outside),
                  MILLIS * median(window, p -> p.episode().getQuantizerSeconds()),
                  100 * median(window, p -> p.outside() / p.total())));
    }
  }

  private static double median(List<Parts> window, ToDoubleFunction<Parts> part) {
    double[] sorted = window.stream().mapToDouble(part).sorted().toArray();
    return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
  }
}
