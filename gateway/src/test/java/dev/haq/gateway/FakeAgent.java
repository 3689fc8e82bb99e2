package dev.haq.gateway;

import com.google.protobuf.Empty;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.agent.v1.CreateSessionRequest;
import dev.haq.proto.agent.v1.Episode;
import dev.haq.proto.agent.v1.ExtendSessionRequest;
import dev.haq.proto.agent.v1.Front;
import dev.haq.proto.agent.v1.ListEpisodesRequest;
import dev.haq.proto.agent.v1.ListEpisodesResponse;
import dev.haq.proto.agent.v1.ListSessionsRequest;
import dev.haq.proto.agent.v1.ListSessionsResponse;
import dev.haq.proto.agent.v1.PredictFrontEvent;
import dev.haq.proto.agent.v1.PredictFrontRequest;
import dev.haq.proto.agent.v1.PredictedFront;
import dev.haq.proto.agent.v1.PredictedPoint;
import dev.haq.proto.agent.v1.Preparation;
import dev.haq.proto.agent.v1.SearchAgentGrpcService;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionEvent;
import dev.haq.proto.agent.v1.SessionState;
import dev.haq.proto.agent.v1.Transfer;
import dev.haq.proto.agent.v1.TransferRow;
import dev.haq.proto.agent.v1.WatchSessionRequest;
import dev.haq.rpc.ResponseStream;
import dev.haq.rpc.RpcService;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** An agent service that searches nothing: a test puts sessions in and plays their events. */
final class FakeAgent {
  /** An event stream that a test plays: opened by the gateway, fed by the test. */
  record Watch(WatchSessionRequest request, ResponseStream<SessionEvent> out, CountDownLatch left) {
    void snapshot(Session session) {
      out.send(SessionEvent.newBuilder().setSnapshot(session).build());
    }

    void episode(Episode episode) {
      out.send(SessionEvent.newBuilder().setEpisode(episode).build());
    }

    void state(Session session) {
      out.send(SessionEvent.newBuilder().setState(session).build());
    }
  }

  final Map<String, Session> sessions = new ConcurrentHashMap<>();
  final BlockingQueue<CreateSessionRequest> created = new LinkedBlockingQueue<>();
  final BlockingQueue<ListSessionsRequest> listed = new LinkedBlockingQueue<>();
  final BlockingQueue<ListEpisodesRequest> episodesListed = new LinkedBlockingQueue<>();
  private final BlockingQueue<Watch> watches = new LinkedBlockingQueue<>();
  private volatile HaqException refusal;

  /** Whoever asks for a front has left. */
  final CountDownLatch frontLeft = new CountDownLatch(1);

  RpcService service() {
    return RpcService.named(
            SearchAgentGrpcService.SERVICE_NAME, SearchAgentGrpcService.SERVICE_DESCRIPTOR)
        .unary(SearchAgentGrpcService.CreateSession, (request, call) -> create(request))
        .unary(SearchAgentGrpcService.GetSession, (request, call) -> find(request.getId()))
        .unary(
            SearchAgentGrpcService.ListSessions,
            (request, call) -> {
              listed.add(request);
              return ListSessionsResponse.newBuilder().addAllSessions(sessions.values()).build();
            })
        .unary(
            SearchAgentGrpcService.ListEpisodes,
            (request, call) -> {
              episodesListed.add(request);
              return ListEpisodesResponse.newBuilder()
                  .addEpisodes(find(request.getSessionId()).getBest())
                  .setNextPageToken("2")
                  .build();
            })
        .unary(
            SearchAgentGrpcService.GetFront,
            (request, call) ->
                Front.newBuilder()
                    .setEpisodes(find(request.getSessionId()).getEpisodesDone())
                    .build())
        .unary(
            SearchAgentGrpcService.GetTransfer,
            (request, call) -> {
              Transfer.Builder transfer = Transfer.newBuilder();
              request
                  .getSessionIdsList()
                  .forEach(id -> transfer.addRows(TransferRow.newBuilder().setSessionId(id)));
              return transfer.build();
            })
        .serverStream(SearchAgentGrpcService.WatchSession, this::watch)
        .serverStream(SearchAgentGrpcService.PredictFront, this::predictFront)
        .unary(
            SearchAgentGrpcService.PauseSession,
            (request, call) -> move(request.getId(), SessionState.PAUSED))
        .unary(
            SearchAgentGrpcService.ResumeSession,
            (request, call) -> move(request.getId(), SessionState.QUEUED))
        .unary(
            SearchAgentGrpcService.StopSession,
            (request, call) -> move(request.getId(), SessionState.STOPPING))
        .unary(
            SearchAgentGrpcService.CancelSession,
            (request, call) -> move(request.getId(), SessionState.CANCELLED))
        .unary(SearchAgentGrpcService.ExtendSession, (request, call) -> extend(request))
        .unary(
            SearchAgentGrpcService.DeleteSession,
            (request, call) -> {
              checkEtag(find(request.getId()), request.getEtag());
              sessions.remove(request.getId());
              return Empty.getDefaultInstance();
            });
  }

  /** How far it is and two points; of the model "cut" and "endless" the first alone. */
  private void predictFront(PredictFrontRequest request, ResponseStream<PredictFrontEvent> out) {
    if (request.getModel().startsWith("sha256:")) {
      throw new HaqException(Reason.UNKNOWN_MODEL, "there is no such model: import it first");
    }
    out.onCancel(frontLeft::countDown);
    out.send(
        PredictFrontEvent.newBuilder()
            .setPreparation(Preparation.newBuilder().setMeasured(1).setToMeasure(14))
            .build());
    if (request.getModel().equals("cut")) {
      throw new HaqException(Reason.BUSY, "32 evaluations wait already");
    }
    if (request.getModel().equals("endless")) {
      return;
    }
    out.send(
        PredictFrontEvent.newBuilder()
            .setFront(
                PredictedFront.newBuilder()
                    .addPoints(PredictedPoint.newBuilder().setCostRatio(0.25).setDivergence(1))
                    .addPoints(PredictedPoint.newBuilder().setCostRatio(1)))
            .build());
    out.end();
  }

  private Session extend(ExtendSessionRequest request) {
    Session session = find(request.getId());
    checkEtag(session, request.getEtag());
    Session extended =
        session.toBuilder()
            .setEpisodesTotal(request.getEpisodes())
            .setState(SessionState.QUEUED)
            .build();
    sessions.put(extended.getId(), extended);
    return extended;
  }

  private static void checkEtag(Session session, String etag) {
    if (!etag.isEmpty() && !etag.equals(session.getEtag())) {
      throw new HaqException(Reason.SESSION_CHANGED, "session " + session.getId() + " has changed");
    }
  }

  /** The next creation fails so. */
  void refuse(HaqException failure) {
    refusal = failure;
  }

  /** The next event stream that the gateway opens. */
  Watch nextWatch() throws InterruptedException {
    Watch watch = watches.poll(20, TimeUnit.SECONDS);
    if (watch == null) {
      throw new AssertionError("nobody opened an event stream");
    }
    return watch;
  }

  private Session create(CreateSessionRequest request) {
    if (refusal != null) {
      HaqException failure = refusal;
      refusal = null;
      throw failure;
    }
    created.add(request);
    Session session =
        Session.newBuilder()
            .setId("s" + (sessions.size() + 1))
            .setSpec(request.getSpec())
            .setState(SessionState.QUEUED)
            .build();
    sessions.put(session.getId(), session);
    return session;
  }

  private void watch(WatchSessionRequest request, ResponseStream<SessionEvent> out) {
    find(request.getSessionId());
    CountDownLatch left = new CountDownLatch(1);
    out.onCancel(left::countDown);
    watches.add(new Watch(request, out, left));
  }

  private Session move(String id, SessionState state) {
    Session moved = find(id).toBuilder().setState(state).build();
    sessions.put(id, moved);
    return moved;
  }

  private Session find(String id) {
    Session session = sessions.get(id);
    if (session == null) {
      throw new HaqException(Reason.UNKNOWN_SESSION, "there is no session '" + id + "'");
    }
    return session;
  }
}
