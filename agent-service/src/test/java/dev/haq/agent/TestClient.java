package dev.haq.agent;

import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.agent.v1.CreateSessionRequest;
import dev.haq.proto.agent.v1.DdpgSettings;
import dev.haq.proto.agent.v1.Episode;
import dev.haq.proto.agent.v1.GetSessionRequest;
import dev.haq.proto.agent.v1.ListEpisodesRequest;
import dev.haq.proto.agent.v1.ListEpisodesResponse;
import dev.haq.proto.agent.v1.SearchAgentGrpc;
import dev.haq.proto.agent.v1.SearchAgentGrpc.SearchAgentBlockingStub;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionEvent;
import dev.haq.proto.agent.v1.SessionSpec;
import dev.haq.proto.agent.v1.SessionState;
import dev.haq.proto.agent.v1.WatchSessionRequest;
import dev.haq.proto.hwsim.v1.TargetRef;
import dev.haq.proto.model.v1.Budget;
import dev.haq.proto.model.v1.DataSelection;
import dev.haq.proto.model.v1.Resource;
import dev.haq.rpc.RpcChannel;
import dev.haq.rpc.RpcErrors;
import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.function.Supplier;

/** A grpc-java client of the search agent, as any other program would write it. */
final class TestClient implements AutoCloseable {
  private static final long PATIENCE_SECONDS = 60;

  private final RpcChannel channel;

  TestClient(int port) {
    channel = RpcChannel.open("127.0.0.1:" + port, Duration.ofSeconds(PATIENCE_SECONDS));
  }

  SearchAgentBlockingStub stub() {
    return SearchAgentGrpc.newBlockingStub(channel.channel());
  }

  /** A search of the fakes' model; small networks, so that an episode takes milliseconds. */
  static SessionSpec.Builder spec(int episodes) {
    return SessionSpec.newBuilder()
        .setName("a search")
        .setModel(FakeQuantizer.MODEL)
        .setData(DataSelection.newBuilder().setDataset(FakeQuantizer.DATASET))
        .setTarget(TargetRef.newBuilder().setName(FakeSimulator.TARGET))
        .setBudget(Budget.newBuilder().setResource(Resource.LATENCY).setRatio(0.5))
        .setAgent("ddpg")
        .setEpisodes(episodes)
        .setSeed(7)
        .setDdpg(
            DdpgSettings.newBuilder()
                .setHidden1(16)
                .setHidden2(12)
                .setBatchSize(8)
                .setReplayPerDecision(8)
                .setWarmupEpisodes(3));
  }

  Session create(SessionSpec.Builder spec) {
    return create(spec, "");
  }

  Session create(SessionSpec.Builder spec, String requestId) {
    return stub()
        .createSession(
            CreateSessionRequest.newBuilder().setSpec(spec).setRequestId(requestId).build());
  }

  Session get(String id) {
    return stub().getSession(GetSessionRequest.newBuilder().setId(id).build());
  }

  List<Episode> episodes(String id) {
    List<Episode> all = new ArrayList<>();
    String token = "";
    do {
      ListEpisodesResponse page =
          stub()
              .listEpisodes(
                  ListEpisodesRequest.newBuilder()
                      .setSessionId(id)
                      .setPageSize(7)
                      .setPageToken(token)
                      .build());
      all.addAll(page.getEpisodesList());
      token = page.getNextPageToken();
    } while (!token.isEmpty());
    return all;
  }

  /** All events of a watch, to its end. */
  List<SessionEvent> watch(String id, int afterEpisode) {
    return watchUntil(id, afterEpisode, event -> false);
  }

  /** The events of a watch up to and including the first that {@code enough} accepts. */
  List<SessionEvent> watchUntil(String id, int afterEpisode, Predicate<SessionEvent> enough) {
    List<SessionEvent> events = new ArrayList<>();
    try (CancellableContext context = Context.current().withCancellation()) {
      Context before = context.attach();
      try {
        Iterator<SessionEvent> stream =
            stub()
                .withDeadlineAfter(PATIENCE_SECONDS, TimeUnit.SECONDS)
                .watchSession(
                    WatchSessionRequest.newBuilder()
                        .setSessionId(id)
                        .setAfterEpisode(afterEpisode)
                        .build());
        while (stream.hasNext()) {
          SessionEvent event = stream.next();
          events.add(event);
          if (enough.test(event)) {
            break;
          }
        }
      } finally {
        context.detach(before);
      }
    }
    return events;
  }

  /** Waits until the session has come to {@code state}. */
  Session await(String id, SessionState state) {
    watchUntil(
        id,
        Integer.MAX_VALUE,
        event -> event.getSnapshot().getState() == state || event.getState().getState() == state);
    return get(id);
  }

  /** Waits until so many episodes are stored. */
  void awaitEpisodes(String id, int count) {
    watchUntil(id, count - 1, event -> event.getEpisode().getNumber() == count);
  }

  Session awaitEnd(String id) {
    watch(id, Integer.MAX_VALUE);
    return get(id);
  }

  static List<Integer> episodeNumbers(List<SessionEvent> events) {
    return events.stream()
        .filter(SessionEvent::hasEpisode)
        .map(event -> event.getEpisode().getNumber())
        .toList();
  }

  static List<SessionState> states(List<SessionEvent> events) {
    return events.stream()
        .filter(SessionEvent::hasState)
        .map(event -> event.getState().getState())
        .toList();
  }

  /** What an episode found, without what it took: equal in equal searches. */
  static String finding(Episode episode) {
    return "%d %s %s %s %s"
        .formatted(
            episode.getNumber(),
            Double.doubleToRawLongBits(episode.getReward()),
            Double.doubleToRawLongBits(episode.getCostRatio()),
            episode.getAccuracy(),
            episode.getPolicy());
  }

  static List<String> findings(List<Episode> episodes) {
    return episodes.stream().map(TestClient::finding).toList();
  }

  /** The error of a call that fails for {@code reason}. */
  static HaqException refused(Reason reason, Supplier<?> call) {
    HaqException error = assertThrows(HaqException.class, () -> RpcErrors.calling(call::get));
    if (error.reason() != reason) {
      throw new AssertionError("expected " + reason + " but got " + error.reason(), error);
    }
    return error;
  }

  @Override
  public void close() {
    channel.close();
  }
}
