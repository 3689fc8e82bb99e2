package dev.haq.agent;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import dev.haq.agent.grpc.SpecWire;
import dev.haq.agent.search.BudgetLimit;
import dev.haq.agent.search.EpisodeResult;
import dev.haq.agent.search.TargetCost;
import dev.haq.agent.search.Timings;
import dev.haq.agent.session.EndReason;
import dev.haq.agent.session.Fleet;
import dev.haq.agent.session.SessionLimits;
import dev.haq.agent.session.SessionRecord;
import dev.haq.agent.session.SessionState;
import dev.haq.agent.session.SessionStore;
import dev.haq.agent.store.SqlSessionStore;
import dev.haq.model.Accuracy;
import dev.haq.model.Cost;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import dev.haq.proto.agent.v1.GetFrontRequest;
import dev.haq.proto.agent.v1.ListEpisodesRequest;
import dev.haq.proto.agent.v1.ListSessionsRequest;
import dev.haq.rpc.ServiceRuntime;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.UUID;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/**
 * How long a search agent takes to answer from a PostgreSQL database that holds many sessions of
 * 100 episodes and some of 10,000, of networks of 53 layers: one caller over gRPC.
 *
 * <p>{@code StoreBench [SESSIONS [CALLS [LONG_SESSIONS]]]}, by default 10,000, 200 and 30; started
 * by hand.
 */
public final class StoreBench {
  private static final int LAYERS = 53; // MobileNetV2's
  private static final int EPISODES = 100;
  private static final int MANY_EPISODES = 10_000;

  private static final int PAGE = 100;

  private final TestClient client;
  private final int calls;

  private StoreBench(TestClient client, int calls) {
    this.client = client;
    this.calls = calls;
  }

  public static void main(String[] args) throws Exception {
    int sessions = args.length > 0 ? Integer.parseInt(args[0]) : 10_000;
    int calls = args.length > 1 ? Integer.parseInt(args[1]) : 200;
    // Of MANY_EPISODES, for a first GetFront of each.
    int longSessions = args.length > 2 ? Integer.parseInt(args[2]) : 30;
    try (EmbeddedPostgres server = EmbeddedPostgres.start();
        Connection database = server.getPostgresDatabase().getConnection()) {
      String url = server.getJdbcUrl("postgres", "postgres");
      List<String> longIds;
      List<String> ids;
      try (SessionStore store = SqlSessionStore.open(url)) {
        longIds = copies(database, search(store, MANY_EPISODES), longSessions);
        ids = copies(database, search(store, EPISODES), sessions);
      }
      try (Statement statement = database.createStatement()) {
        statement.execute("vacuum analyze"); // as the server does by itself, sooner or later
      }
      System.out.printf(
          "%d sessions of %d episodes and %d of %d%n",
          sessions, EPISODES, longSessions, MANY_EPISODES);
      measure(url, calls, ids, longIds);
    }
  }

  private static void measure(String url, int calls, List<String> ids, List<String> longIds) {
    ServiceRuntime runtime = ServiceRuntime.create();
    // No session is to run, so no other service is called.
    AgentService service =
        AgentService.start(
            runtime, AgentSettings.defaults().withAddress("127.0.0.1", 0).withStore(url));
    try (TestClient client = new TestClient(service.port())) {
      new StoreBench(client, calls).measure(ids, longIds);
    } finally {
      service.close();
      runtime.close();
    }
  }

  private void measure(List<String> ids, List<String> longIds) {
    String middle = Integer.toString(longIds.size() + ids.size() / 2); // a position
    System.out.printf(
        "%-46s %9s %9s %9s %9s%n", "call", "least ms", "median ms", "p99 ms", "max ms");
    time("get a session", calls, i -> client.get(any(ids, i)));
    time("list 100 sessions, newest", calls, i -> list(""));
    time("list 100 sessions, from the middle", calls, i -> list(middle));
    time("list 100 episodes", calls, i -> listEpisodes(any(ids, i), ""));
    time(
        "list 100 episodes of 10,000, from the middle",
        calls,
        i -> listEpisodes(any(longIds, i), Integer.toString(MANY_EPISODES / 2)));
    time("watch the last episode and the end", calls, i -> watch(any(ids, i), EPISODES - 1));
    time("front of 100 episodes", calls, i -> front(any(ids, i), EPISODES));
    // A third of them warms the code up.
    time(
        "front of 10,000 episodes, first time",
        longIds.size() * 2 / 3,
        i -> front(longIds.get(i), MANY_EPISODES));
    time("front of 10,000 episodes, again", calls, i -> front(any(longIds, i), MANY_EPISODES));
  }

  /** Warms up with half as many calls, whose numbers are the higher ones. */
  private static void time(String name, int calls, IntConsumer call) {
    for (int i = 0; i < calls / 2; i++) {
      call.accept(calls + i);
    }
    double[] millis = new double[calls];
    for (int i = 0; i < calls; i++) {
      long start = System.nanoTime();
      call.accept(i);
      millis[i] = (System.nanoTime() - start) * 1e-6;
    }
    Arrays.sort(millis);
    System.out.printf(
        Locale.ROOT,
        "%-46s %9.1f %9.1f %9.1f %9.1f%n",
        name,
        millis[0],
        millis[calls / 2],
        millis[(int) Math.ceil(0.99 * calls) - 1],
        millis[calls - 1]);
  }

  /** Another one each time, from all over. */
  private static String any(List<String> ids, int call) {
    return ids.get((int) (call * 7919L % ids.size()));
  }

  private void list(String token) {
    check(
        PAGE,
        client
            .stub()
            .listSessions(
                ListSessionsRequest.newBuilder().setPageSize(PAGE).setPageToken(token).build())
            .getSessionsCount());
  }

  private void listEpisodes(String id, String token) {
    check(
        PAGE,
        client
            .stub()
            .listEpisodes(
                ListEpisodesRequest.newBuilder()
                    .setSessionId(id)
                    .setPageSize(PAGE)
                    .setPageToken(token)
                    .build())
            .getEpisodesCount());
  }

  /** The session, its last episode, its end. */
  private void watch(String id, int afterEpisode) {
    check(3, client.watch(id, afterEpisode).size());
  }

  private void front(String id, int episodes) {
    check(
        episodes,
        client
            .stub()
            .getFront(GetFrontRequest.newBuilder().setSessionId(id).build())
            .getEpisodes());
  }

  private static void check(int expected, int actual) {
    if (expected != actual) {
      throw new IllegalStateException("expected " + expected + " but got " + actual);
    }
  }

  /** A session that has ended, with episodes of random policies; answers its id. */
  private static String search(SessionStore store, int episodes) {
    SpecWire specs = new SpecWire();
    SessionRecord.Definition definition =
        new SessionRecord.Definition(
            UUID.randomUUID().toString(),
            "",
            specs.encode(specs.decode(spec(episodes))),
            IntStream.range(0, LAYERS).mapToObj(i -> "/features/features." + i + "/Conv").toList(),
            List.of(new BudgetLimit(0.6, 1)),
            false,
            Fleet.NONE,
            now());
    SessionRecord queued =
        store.create(SessionRecord.created(definition, SessionLimits.episodes(episodes)));
    SessionRecord preparing =
        store
            .lease(
                queued, queued.moved(SessionState.PREPARING, now()), "bench", Duration.ofHours(1))
            .orElseThrow();
    SessionRecord session =
        changed(
            store,
            preparing,
            preparing.with(new Accuracy(1000, 720, 910, 1100)).moved(SessionState.RUNNING, now()));
    for (int number = 1; number <= episodes; number++) {
      session =
          store.append(
              session.id(),
              session.version().fence(),
              session.progress().next(episode(number), 0, now()),
              new byte[0]);
    }
    changed(store, session, session.ended(SessionState.SUCCEEDED, EndReason.EPISODES, "", now()));
    return session.id();
  }

  private static SessionRecord changed(
      SessionStore store, SessionRecord before, SessionRecord after) {
    return store.update(before, after).orElseThrow();
  }

  private static Instant now() {
    return Instant.now().truncatedTo(ChronoUnit.MICROS);
  }

  private static String spec(int episodes) {
    try {
      return JsonFormat.printer().print(TestClient.spec(episodes));
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Of a random policy: every layer costs the product of its widths and loses what they lack. */
  private static EpisodeResult episode(int number) {
    Random random = new Random(number);
    int widest = random.nextInt(3, 9);
    List<LayerBits> layers = new ArrayList<>();
    double cost = 0;
    double size = 0;
    double loss = 0;
    for (int layer = 0; layer < LAYERS; layer++) {
      int weights = random.nextInt(2, widest + 1);
      int activations = random.nextInt(2, widest + 1);
      layers.add(LayerBits.of(weights, activations));
      cost += weights * activations / 64.0 / LAYERS;
      size += weights * 8000.0 * (layer + 1);
      loss += random.nextDouble() * (Math.pow(2, -weights) + Math.pow(2, -activations));
    }
    int top1 = (int) Math.max(1, 720 - 40 * loss);
    return new EpisodeResult(
        number,
        new Policy(layers),
        0.1 * (top1 - 720) / 10,
        new Accuracy(1000, top1, 910, 1100 + loss, OptionalDouble.of(loss)),
        List.of(
            Optional.of(
                new TargetCost(
                    new Cost(cost * 1e6, cost, OptionalDouble.of(cost * 1e-3), size), cost, true))),
        number <= 20,
        new Timings(1.2, 0.5, 0.01, 0.7));
  }

  /** Copies a session and its episodes until there are so many; answers the ids of all. */
  private static List<String> copies(Connection database, String id, int count)
      throws SQLException {
    List<String> ids = new ArrayList<>(List.of(id));
    try (PreparedStatement sessions =
            database.prepareStatement(
                "insert into session overriding user value select copy.* from session s,"
                    + " generate_series(2, ?) as n, lateral jsonb_populate_record(s,"
                    + " jsonb_build_object('id', md5(s.id || n)::uuid)) as copy where s.id = ?"
                    + " returning id");
        PreparedStatement episodes =
            database.prepareStatement(
                "insert into episode select copy.* from unnest(?) as to_id, episode e, lateral"
                    + " jsonb_populate_record(e, jsonb_build_object('session_id', to_id)) as copy"
                    + " where e.session_id = ?")) {
      sessions.setInt(1, count);
      sessions.setString(2, id);
      try (ResultSet made = sessions.executeQuery()) {
        while (made.next()) {
          ids.add(made.getString(1));
        }
      }
      episodes.setArray(1, database.createArrayOf("varchar", ids.subList(1, ids.size()).toArray()));
      episodes.setString(2, id);
      episodes.executeUpdate();
    }
    return ids;
  }
}
