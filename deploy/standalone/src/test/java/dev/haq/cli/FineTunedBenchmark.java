package dev.haq.cli;

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
 * How cheap a network can become without losing accuracy: for each ratio of the 8-bit cost a
 * search, the final fine-tuning of what it found, and what that loses on images that neither search
 * nor training saw. Appends a line a search to a CSV file and skips what is in it already; says in
 * the end which is the cheapest that loses little enough.
 */
@Command(name = "fine-tuned-benchmark", mixinStandardHelpOptions = true)
final class FineTunedBenchmark implements Callable<Integer> {
  private static final String HEADER =
      "target,resource,ratio,agent,recipe,seed,episodes,epochs,cost_ratio,images,float_top1,found_top1,tuned_top1,lost_points,seconds,tuning_seconds,tuned_model";

  /** Columns of {@link #HEADER}. */
  private static final int COST_RATIO = 8;

  private static final int LOST = 13;

  @Mixin private CommonOptions common;
  @Mixin private SearchSetup setup;

  @Option(
      names = "--ratios",
      split = ",",
      defaultValue = "0.7,0.6,0.5,0.4,0.35,0.3,0.25,0.2",
      description = "Budgets, as ratios of the 8-bit cost.")
  private List<Double> ratios;

  @Option(names = "--agent", defaultValue = "auto")
  private String agent;

  @Option(names = "--seeds", split = ",", defaultValue = "1")
  private List<Long> seeds;

  @Option(
      names = "--points",
      defaultValue = "0.5",
      description = "How much top-1 may be lost, percentage points.")
  private double points;

  @Option(names = "--out", required = true, description = "The CSV file.")
  private Path out;

  private ResultLines lines;

  public static void main(String[] args) {
    System.exit(new CommandLine(new FineTunedBenchmark()).execute(args));
  }

  @Override
  public Integer call() throws IOException {
    lines = ResultLines.open(out, HEADER);
    setup.whileOpen(common, this::measure);
    tellCheapest();
    return 0;
  }

  private void measure() throws IOException {
    for (long seed : seeds) {
      for (double ratio : ratios) {
        measure(ratio, seed);
      }
    }
  }

  private String kind() {
    return "%s,%s,".formatted(setup.targetName(), setup.resource());
  }

  private void measure(double ratio, long seed) throws IOException {
    String key =
        kind() + "%s,%s,%s,%d,%d,".formatted(ratio, agent, setup.recipe(), seed, setup.episodes());
    if (!lines.beginning(key).isEmpty()) {
      return;
    }
    long start = System.nanoTime();
    Session session = setup.search(agent, ratio, seed);
    double seconds = (System.nanoTime() - start) * 1e-9;
    if (!session.hasTuned()) {
      throw new IllegalStateException(
          "nothing was fine-tuned: give --train-data, --finetune-epochs");
    }
    Accuracy exact = setup.heldOut(session, Optional.empty());
    Accuracy tuned = session.getTuned().getHeldOutAfter();
    String line =
        key
            + String.format(
                Locale.ROOT,
                "%d,%.4f,%d,%.2f,%.2f,%.2f,%.2f,%.1f,%.1f,%s",
                session.getTuned().getEpochs(),
                session.getBest().getCostRatio(),
                tuned.getImages(),
                exact.getTop1(),
                session.getTuned().getHeldOutBefore().getTop1(),
                tuned.getTop1(),
                exact.getTop1() - tuned.getTop1(),
                seconds,
                session.getTuned().getSeconds(),
                session.getTuned().getModel());
    lines.add(line);
    common.terminal().note(line);
  }

  private void tellCheapest() throws IOException {
    Optional<String[]> cheapest =
        lines.beginning(kind()).stream()
            .map(line -> line.split(",", -1))
            .filter(line -> Double.parseDouble(line[LOST]) <= points)
            .reduce((a, b) -> cost(b) < cost(a) ? b : a);
    common
        .terminal()
        .line(
            cheapest
                .map(
                    line ->
                        "the cheapest that loses at most %s points costs %s of 8 bit and loses %s"
                            .formatted(points, line[COST_RATIO], line[LOST]))
                .orElse("every one loses more than %s points".formatted(points)));
  }

  private static double cost(String[] line) {
    return Double.parseDouble(line[COST_RATIO]);
  }
}
