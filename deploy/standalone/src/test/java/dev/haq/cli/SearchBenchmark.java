package dev.haq.cli;

import dev.haq.model.Budget;
import dev.haq.proto.agent.v1.CreateSessionRequest;
import dev.haq.proto.agent.v1.Episode;
import dev.haq.proto.agent.v1.Reward;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionSpec;
import dev.haq.proto.agent.v1.SessionState;
import dev.haq.proto.model.v1.Accuracy;
import dev.haq.proto.model.v1.DataSelection;
import dev.haq.proto.model.v1.Policy;
import dev.haq.proto.model.v1.Recipe;
import dev.haq.proto.quantizer.v1.EvaluateRequest;
import dev.haq.proto.quantizer.v1.Model;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * Compares agents on the same model, images and budgets: one search for each agent, budget and
 * seed, and top-1 of what it found on images that no search saw. Appends a line a search to a CSV
 * file and skips what is in it already, so that a long comparison can be made in pieces.
 */
@Command(name = "search-benchmark", mixinStandardHelpOptions = true)
final class SearchBenchmark implements Callable<Integer> {
  private static final String HEADER =
      "target,resource,budget,agent,reward,seed,episodes,best_episode,cost_ratio,search_top1,search_kl,held_out_top1,held_out_cross_entropy,held_out_kl,seconds,agent_seconds,quantizer_seconds";

  @Mixin private CommonOptions common;
  @Mixin private ModelOption model;
  @Mixin private DataOptions data;
  @Mixin private TargetOptions target;

  @Option(names = "--resource", defaultValue = "latency")
  private String resource;

  @Option(names = "--budgets", split = ",", required = true, description = "Ratios.")
  private List<Double> budgets;

  @Option(names = "--agents", split = ",", required = true)
  private List<String> agents;

  @Option(names = "--seeds", split = ",", defaultValue = "1")
  private List<Long> seeds;

  @Option(names = "--episodes", defaultValue = "300")
  private int episodes;

  @Option(names = "--recipe", defaultValue = "ptq")
  private String recipe;

  @Option(names = "--reward", description = "ACCURACY, CROSS_ENTROPY or KL_DIVERGENCE.")
  private Reward reward = Reward.REWARD_UNSPECIFIED;

  @Option(names = "--parallel", defaultValue = "1")
  private int parallel;

  @Option(names = "--out", required = true, description = "The CSV file.")
  private Path out;

  private GatewayClient client;
  private Model network;
  private DataSelection images;

  public static void main(String[] args) {
    System.exit(new CommandLine(new SearchBenchmark()).execute(args));
  }

  @Override
  public Integer call() throws IOException {
    if (!Files.exists(out)) {
      Files.writeString(out, HEADER + "\n");
    }
    Path sessions = Files.createTempDirectory("haq-benchmark-");
    try (Connection connection = Connection.open(common, sessions)) {
      client = connection.client();
      network = model.resolve(client);
      images = data.resolve(client, DataSelection.Split.SEARCH);
      for (long seed : seeds) {
        for (double budget : budgets) {
          for (String agent : agents) {
            compare(agent, budget, seed);
          }
        }
      }
    }
    return 0;
  }

  private void compare(String agent, double budget, long seed) throws IOException {
    String key =
        "%s,%s,%s,%s,%s,%d,%d,"
            .formatted(targetName(), resource, budget, agent, reward, seed, episodes);
    String done = Files.readString(out);
    if (done.lines().anyMatch(line -> line.startsWith(key))) {
      return;
    }
    long start = System.nanoTime();
    Session session = search(agent, budget, seed);
    double seconds = (System.nanoTime() - start) * 1e-9;
    if (session.getState() != SessionState.SUCCEEDED) {
      throw new IllegalStateException(agent + ": " + session.getError());
    }
    Episode best = session.getBest();
    Accuracy heldOut = heldOut(best.getPolicy());
    double agentSeconds = 0;
    double quantizerSeconds = 0;
    for (Episode episode : client.episodes(session.getId())) {
      agentSeconds += episode.getAgentSeconds();
      quantizerSeconds += episode.getQuantizerSeconds();
    }
    String line =
        key
            + String.format(
                Locale.ROOT,
                "%d,%.4f,%.2f,%.5f,%.2f,%.5f,%.5f,%.1f,%.1f,%.1f%n",
                best.getNumber(),
                best.getCostRatio(),
                best.getAccuracy().getTop1(),
                best.getAccuracy().getKlDivergenceSum() / best.getAccuracy().getImages(),
                heldOut.getTop1(),
                heldOut.getCrossEntropySum() / heldOut.getImages(),
                heldOut.getKlDivergenceSum() / heldOut.getImages(),
                seconds,
                agentSeconds,
                quantizerSeconds);
    Files.writeString(out, line, StandardCharsets.UTF_8, StandardOpenOption.APPEND);
    common.terminal().note(line.strip());
  }

  private Session search(String agent, double budget, long seed) {
    TargetOptions.Resolved resolved = target.resolve(client, ResourceOption.parse(resource));
    Budget limit = BudgetText.parse(Double.toString(budget), ResourceOption.parse(resource));
    SessionSpec spec =
        SessionSpec.newBuilder()
            .setModel(network.getId())
            .setData(images)
            .setTarget(resolved.ref())
            .setBudget(
                dev.haq.proto.model.v1.Budget.newBuilder()
                    .setResource(ResourceOption.toProto(limit.resource()))
                    .setRatio(limit.value()))
            .setAgent(agent)
            .setReward(reward)
            .setParallelEpisodes(parallel)
            .setEpisodes(episodes)
            .setSeed(seed)
            .setRecipe(quantization())
            .build();
    Session session = client.createSession(CreateSessionRequest.newBuilder().setSpec(spec).build());
    return new SessionWatch(
            client,
            session.getId(),
            0,
            new SessionWatch.Listener() {
              @Override
              public void session(Session at) {}

              @Override
              public void episode(Episode episode) {}
            })
        .follow();
  }

  private Accuracy heldOut(Policy policy) {
    return client
        .evaluate(
            EvaluateRequest.newBuilder()
                .setModel(network.getId())
                .setData(images.toBuilder().setSplit(DataSelection.Split.HELD_OUT))
                .setRecipe(quantization())
                .setPolicy(policy)
                .setMeasureDivergence(true)
                .build())
        .getAccuracy();
  }

  private Recipe quantization() {
    return Recipe.newBuilder().setName(recipe).build();
  }

  private String targetName() {
    return target.resolve(client, ResourceOption.parse(resource)).name();
  }
}
