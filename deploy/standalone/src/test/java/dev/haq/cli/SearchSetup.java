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
import dev.haq.wire.CostWire;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What the searches of a benchmark have in common. */
final class SearchSetup {
  @Mixin private ModelOption model;
  @Mixin private DataOptions data;
  @Mixin private TargetOptions target;
  @Mixin private SearchTraining training;
  @Mixin private DdpgOptions ddpg;

  @Option(names = "--resource", defaultValue = "latency")
  private String resource;

  @Option(names = "--episodes", defaultValue = "300")
  private int episodes;

  @Option(names = "--recipe", defaultValue = "ptq")
  private String recipe;

  @Option(names = "--reward", description = "ACCURACY, CROSS_ENTROPY or KL_DIVERGENCE.")
  private Reward reward = Reward.REWARD_UNSPECIFIED;

  @Option(names = "--parallel", defaultValue = "1")
  private int parallel;

  @Option(names = "--search-first-and-last")
  private boolean searchFirstAndLast;

  @Option(
      names = "--sessions",
      paramLabel = "DIR",
      description =
          "Where searches are kept, a temporary folder by default. One that was broken off goes on"
              + " when it is asked for again.")
  private Path sessions;

  private GatewayClient client;
  private Model network;
  private TargetOptions.Resolved hardware;
  private DataSelection images;

  /** What is done while the services are there. */
  interface Work {
    void run() throws IOException;
  }

  /** Nothing else may be asked for before or after. */
  void whileOpen(CommonOptions common, Work work) throws IOException {
    Path folder = sessions == null ? Files.createTempDirectory("haq-benchmark-") : sessions;
    try (Connection connection = Connection.open(common, folder)) {
      client = connection.client();
      network = model.resolve(client, common.terminal());
      hardware = target.resolve(client, ResourceOption.parse("--resource", resource));
      images = data.resolve(client, common.terminal(), DataSelection.Split.SEARCH);
      work.run();
    }
  }

  /** Searches to the end. */
  Session search(String agent, double ratio, long seed) {
    Budget limit =
        BudgetText.parse(Double.toString(ratio), ResourceOption.parse("--resource", resource));
    SessionSpec.Builder spec =
        SessionSpec.newBuilder()
            .setModel(network.getId())
            .setData(images)
            .setTarget(hardware.ref())
            .setBudget(CostWire.toProto(limit))
            .setAgent(agent)
            .setReward(reward)
            .setParallelEpisodes(parallel)
            .setEpisodes(episodes)
            .setSeed(seed)
            .setSearchFirstAndLast(searchFirstAndLast)
            .setRecipe(Recipe.newBuilder().setName(recipe));
    ddpg.fill(spec);
    training.check(spec);
    training.fill(client, Terminal.system(false), data, spec);
    CreateSessionRequest.Builder request = CreateSessionRequest.newBuilder().setSpec(spec);
    if (sessions != null) {
      request.setRequestId("%s %s %d".formatted(agent, ratio, seed));
    }
    Session created = client.createSession(request.build());
    Session ended =
        new SessionWatch(
                client,
                created.getId(),
                0,
                new SessionWatch.Listener() {
                  @Override
                  public void session(Session at) {}

                  @Override
                  public void episode(Episode episode) {}
                })
            .follow();
    if (ended.getState() != SessionState.SUCCEEDED) {
      throw new IllegalStateException(agent + ": " + ended.getError());
    }
    return ended;
  }

  /**
   * On images that no search saw.
   *
   * @param policy empty for the float model
   */
  Accuracy heldOut(Session session, Optional<Policy> policy) {
    EvaluateRequest.Builder request =
        EvaluateRequest.newBuilder()
            .setModel(network.getId())
            .setData(images.toBuilder().setSplit(DataSelection.Split.HELD_OUT))
            .setRecipe(session.getSpec().getRecipe())
            .setMeasureDivergence(true);
    policy.ifPresent(request::setPolicy);
    return client.evaluate(request.build()).getAccuracy();
  }

  /** The log of a search. */
  List<Episode> episodes(Session session) {
    return client.episodes(session.getId());
  }

  String targetName() {
    return hardware.name();
  }

  String resource() {
    return resource;
  }

  String recipe() {
    return recipe;
  }

  Reward reward() {
    return reward;
  }

  int episodes() {
    return episodes;
  }
}
