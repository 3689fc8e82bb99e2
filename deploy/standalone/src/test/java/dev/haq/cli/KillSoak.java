package dev.haq.cli;

import dev.haq.proto.agent.v1.CreateSessionRequest;
import dev.haq.proto.agent.v1.Episode;
import dev.haq.proto.agent.v1.GetSessionRequest;
import dev.haq.proto.agent.v1.ListEpisodesRequest;
import dev.haq.proto.agent.v1.ListEpisodesResponse;
import dev.haq.proto.agent.v1.SearchAgentGrpc;
import dev.haq.proto.agent.v1.SearchAgentGrpc.SearchAgentBlockingStub;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionSpec;
import dev.haq.proto.agent.v1.SessionState;
import dev.haq.proto.hwsim.v1.TargetRef;
import dev.haq.proto.model.v1.Budget;
import dev.haq.proto.model.v1.DataSelection;
import dev.haq.proto.model.v1.Resource;
import dev.haq.rpc.RpcChannel;
import io.grpc.StatusRuntimeException;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/**
 * {@code KillSoak [KILLS [EPISODES [SEED]]]} (20, 100, 1): a simulator, a quantizer and two agents
 * as processes of their own, PostgreSQL under them; while they search, one of them after another is
 * killed as by {@code kill -9}, at random moments, and started again. Every episode must be there
 * once, and rewards, policies and the best policy equal those of an undisturbed search, bit for
 * bit. Exit status 1 where they do not.
 */
final class KillSoak {
  private static final Pattern LISTENS = Pattern.compile("listens on [^ ]*:(\\d+)");
  private static final Duration DEADLINE = Duration.ofSeconds(60);
  private static final int MOST_MILLIS_BETWEEN_KILLS = 3_000;

  private final Map<String, Start> starts = new LinkedHashMap<>();
  private final Map<String, Child> children = new LinkedHashMap<>();
  private final String agents;

  /** How a process is started, always on the same port. */
  private record Start(String mainClass, Map<String, String> environment) {}

  private KillSoak(Path folder, String store) throws IOException {
    String hwsim = service("hwsim", "dev.haq.hwsim.HwsimService", Map.of());
    String quantizer =
        service(
            "quantizer",
            "dev.haq.quantizer.QuantizerService",
            Map.of("HAQ_QUANTIZER_DATA_DIR", folder.resolve("data").toString()));
    Map<String, String> agent =
        Map.of(
            "HAQ_AGENT_STORE_URL", store,
            "HAQ_AGENT_LEASE_SECONDS", "2",
            "HAQ_HWSIM_TARGET", hwsim,
            "HAQ_QUANTIZER_TARGET", quantizer);
    agents =
        service("agent", "dev.haq.agent.AgentService", agent)
            + ","
            + service("agent 2", "dev.haq.agent.AgentService", agent);
  }

  /** Answers its address. */
  private String service(String name, String mainClass, Map<String, String> environment)
      throws IOException {
    String prefix = "HAQ_" + name.split(" ", -1)[0].toUpperCase(java.util.Locale.ROOT);
    int port = freePort();
    Map<String, String> all = new LinkedHashMap<>(environment);
    all.put(prefix + "_HOST", "127.0.0.1");
    all.put(prefix + "_PORT", Integer.toString(port));
    starts.put(name, new Start(mainClass, all));
    return "127.0.0.1:" + port;
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  public static void main(String[] args) throws Exception {
    int kills = args.length > 0 ? Integer.parseInt(args[0]) : 20;
    int episodes = args.length > 1 ? Integer.parseInt(args[1]) : 100;
    long seed = args.length > 2 ? Long.parseLong(args[2]) : 1;
    Path folder = Files.createTempDirectory("haq-soak");
    boolean equal;
    try (EmbeddedPostgres database = EmbeddedPostgres.start()) {
      KillSoak soak = new KillSoak(folder, database.getJdbcUrl("postgres", "postgres"));
      try {
        equal = soak.run(kills, episodes, new Random(seed));
      } finally {
        soak.children.values().forEach(Child::close);
      }
    }
    System.exit(equal ? 0 : 1);
  }

  private boolean run(int kills, int episodes, Random random) throws InterruptedException {
    for (String name : starts.keySet()) {
      startProcess(name);
    }
    try (RpcChannel channel = RpcChannel.open(agents, DEADLINE)) {
      SearchAgentBlockingStub stub = SearchAgentGrpc.newBlockingStub(channel.channel());
      String disturbed = create(stub, episodes, "disturbed");
      List<String> names = List.copyOf(starts.keySet());
      int killed = 0;
      Session session = patient(stub, disturbed);
      while (!ended(session)) {
        TimeUnit.MILLISECONDS.sleep(random.nextInt(MOST_MILLIS_BETWEEN_KILLS));
        session = patient(stub, disturbed);
        if (killed < kills && !ended(session)) {
          String name = names.get(random.nextInt(names.size()));
          children.get(name).kill();
          killed++;
          System.out.printf(
              "kill %d: %s, after episode %d%n", killed, name, session.getEpisodesDone());
          startProcess(name);
        }
      }
      String undisturbed = create(stub, episodes, "undisturbed");
      Session whole = patient(stub, undisturbed);
      while (!ended(whole)) {
        TimeUnit.MILLISECONDS.sleep(500);
        whole = patient(stub, undisturbed);
      }
      List<String> found = findings(stub, disturbed);
      List<String> expected = findings(stub, undisturbed);
      boolean equal =
          found.equals(expected)
              && found.size() == episodes
              && finding(session.getBest()).equals(finding(whole.getBest()));
      System.out.printf(
          "%d kills; disturbed: %s, %d episodes; undisturbed: %s, %d episodes; %s%n",
          killed,
          session.getState(),
          found.size(),
          whole.getState(),
          expected.size(),
          equal ? "equal bit for bit" : "DIFFERENT");
      return equal;
    }
  }

  private void startProcess(String name) throws InterruptedException {
    Start start = starts.get(name);
    Child child = Child.start(start.mainClass(), List.of(), start.environment());
    children.put(name, child);
    child.await(LISTENS);
  }

  private static boolean ended(Session session) {
    return session.hasField(Session.getDescriptor().findFieldByName("best"))
        && switch (session.getState()) {
          case SUCCEEDED, STOPPED, CANCELLED, FAILED -> true;
          default -> false;
        };
  }

  private static String create(SearchAgentBlockingStub stub, int episodes, String requestId) {
    return stub.createSession(
            CreateSessionRequest.newBuilder()
                .setRequestId(requestId)
                .setSpec(
                    SessionSpec.newBuilder()
                        .setModel("builtin:shapes")
                        .setData(
                            DataSelection.newBuilder()
                                .setDataset("builtin:shapes")
                                .setMaxImages(500))
                        .setTarget(TargetRef.newBuilder().setName("bismo-edge"))
                        .setBudget(Budget.newBuilder().setResource(Resource.LATENCY).setRatio(0.6))
                        .setAgent("ddpg")
                        .setEpisodes(episodes)
                        .setSeed(1))
                .build())
        .getId();
  }

  /** An agent that was just killed is asked again. */
  private static Session patient(SearchAgentBlockingStub stub, String id)
      throws InterruptedException {
    for (int attempt = 0; ; attempt++) {
      try {
        Session session = stub.getSession(GetSessionRequest.newBuilder().setId(id).build());
        if (session.getState() == SessionState.FAILED) {
          throw new IllegalStateException("session failed: " + session.getError());
        }
        return session;
      } catch (StatusRuntimeException e) {
        if (attempt == 50) {
          throw e;
        }
        TimeUnit.MILLISECONDS.sleep(200);
      }
    }
  }

  private static List<String> findings(SearchAgentBlockingStub stub, String id) {
    List<String> all = new ArrayList<>();
    String token = "";
    do {
      ListEpisodesResponse page =
          stub.listEpisodes(
              ListEpisodesRequest.newBuilder().setSessionId(id).setPageToken(token).build());
      page.getEpisodesList().forEach(episode -> all.add(finding(episode)));
      token = page.getNextPageToken();
    } while (!token.isEmpty());
    return all;
  }

  /** What an episode found, without what it took. */
  private static String finding(Episode episode) {
    return "%d %x %x %s"
        .formatted(
            episode.getNumber(),
            Double.doubleToRawLongBits(episode.getReward()),
            Double.doubleToRawLongBits(episode.getCostRatio()),
            episode.getPolicy());
  }
}
