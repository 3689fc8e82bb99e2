package dev.haq.cli;

import dev.haq.proto.agent.v1.Episode;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.model.v1.Accuracy;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * Compares agents on the same model, images and budgets: one search for each agent, budget and
 * seed, and top-1 of what it found on images that no search saw, fine-tuned where that is asked
 * for. Appends a line a search to a CSV file and skips what is in it already, so that a long
 * comparison can be made in pieces.
 */
@Command(name = "search-benchmark", mixinStandardHelpOptions = true)
final class SearchBenchmark implements Callable<Integer> {
  private static final String HEADER =
      "target,resource,budget,agent,reward,seed,episodes,best_episode,cost_ratio,search_top1,search_kl,held_out_top1,held_out_cross_entropy,held_out_kl,seconds,agent_seconds,quantizer_seconds,tuned_held_out_top1,tuning_seconds";

  @Mixin private CommonOptions common;
  @Mixin private SearchSetup setup;

  @Option(names = "--budgets", split = ",", required = true, description = "Ratios.")
  private List<Double> budgets;

  @Option(names = "--agents", split = ",", required = true)
  private List<String> agents;

  @Option(names = "--seeds", split = ",", defaultValue = "1")
  private List<Long> seeds;

  @Option(names = "--out", required = true, description = "The CSV file.")
  private Path out;

  private ResultLines lines;

  public static void main(String[] args) {
    System.exit(new CommandLine(new SearchBenchmark()).execute(args));
  }

  @Override
  public Integer call() throws IOException {
    lines = ResultLines.open(out, HEADER);
    setup.whileOpen(common, this::compare);
    return 0;
  }

  private void compare() throws IOException {
    for (long seed : seeds) {
      for (double budget : budgets) {
        for (String agent : agents) {
          compare(agent, budget, seed);
        }
      }
    }
  }

  private void compare(String agent, double budget, long seed) throws IOException {
    String key =
        "%s,%s,%s,%s,%s,%d,%d,"
            .formatted(
                setup.targetName(),
                setup.resource(),
                budget,
                agent,
                setup.reward(),
                seed,
                setup.episodes());
    if (!lines.beginning(key).isEmpty()) {
      return;
    }
    long start = System.nanoTime();
    Session session = setup.search(agent, budget, seed);
    double seconds = (System.nanoTime() - start) * 1e-9;
    Episode best = session.getBest();
    Accuracy heldOut = setup.heldOut(session, Optional.of(best.getPolicy()));
    double agentSeconds = 0;
    double quantizerSeconds = 0;
    for (Episode episode : setup.episodes(session)) {
      agentSeconds += episode.getAgentSeconds();
      quantizerSeconds += episode.getQuantizerSeconds();
    }
    String tuned =
        session.hasTuned()
            ? String.format(
                Locale.ROOT,
                "%.2f,%.1f",
                session.getTuned().getHeldOutAfter().getTop1(),
                session.getTuned().getSeconds())
            : ",";
    String line =
        key
            + String.format(
                Locale.ROOT,
                "%d,%.4f,%.2f,%.5f,%.2f,%.5f,%.5f,%.1f,%.1f,%.1f,%s",
                best.getNumber(),
                best.getCostRatio(),
                best.getAccuracy().getTop1(),
                best.getAccuracy().getKlDivergenceSum() / best.getAccuracy().getImages(),
                heldOut.getTop1(),
                heldOut.getCrossEntropySum() / heldOut.getImages(),
                heldOut.getKlDivergenceSum() / heldOut.getImages(),
                seconds,
                agentSeconds,
                quantizerSeconds,
                tuned);
    lines.add(line);
    common.terminal().note(line);
  }
}
