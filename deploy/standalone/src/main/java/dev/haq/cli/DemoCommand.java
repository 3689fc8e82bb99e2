package dev.haq.cli;

import dev.haq.proto.agent.v1.SessionSpec;
import dev.haq.proto.hwsim.v1.TargetRef;
import dev.haq.proto.model.v1.Budget;
import dev.haq.proto.model.v1.DataSelection;
import dev.haq.proto.model.v1.Resource;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The main job on what is built in: nothing has to be brought along. */
@Command(
    name = "demo",
    description =
        "Searches bit-widths for the built-in model on its built-in images, on bismo-edge within"
            + " 0.6 of the 8-bit latency; takes about a minute.",
    mixinStandardHelpOptions = true)
final class DemoCommand implements Callable<Integer> {
  private static final String TARGET = "bismo-edge";
  private static final double RATIO = 0.6;

  @Mixin private CommonOptions common;

  @Option(
      names = "--episodes",
      paramLabel = "N",
      defaultValue = "120",
      description = "Episodes, 1 to 100,000; ${DEFAULT-VALUE} by default.")
  private int episodes;

  @Option(
      names = "--seed",
      paramLabel = "S",
      defaultValue = "1",
      description = "The same seed gives the same policy; ${DEFAULT-VALUE} by default.")
  private long seed;

  @Option(
      names = "--images",
      paramLabel = "N",
      defaultValue = "0",
      description = "Search images; all by default.")
  private int images;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      defaultValue = "haq-out/demo",
      description = "Where the files go; ${DEFAULT-VALUE} by default.")
  private Path out;

  @Override
  public Integer call() {
    SearchOptions.checkEpisodes(episodes);
    SessionSpec spec =
        SessionSpec.newBuilder()
            .setName("demo")
            .setModel(ModelOption.BUILTIN)
            .setData(
                DataSelection.newBuilder()
                    .setDataset(ModelOption.BUILTIN)
                    .setSplit(DataSelection.Split.SEARCH)
                    .setMaxImages(images))
            .setTarget(TargetRef.newBuilder().setName(TARGET))
            .setBudget(Budget.newBuilder().setResource(Resource.LATENCY).setRatio(RATIO))
            .setEpisodes(episodes)
            .setSeed(seed)
            .build();
    return new SearchRun(common, out).run(client -> spec);
  }
}
