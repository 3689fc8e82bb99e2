package dev.haq.agent.grpc;

import com.google.protobuf.Empty;
import dev.haq.agent.comparison.FrontPredictions;
import dev.haq.agent.comparison.SessionComparisons;
import dev.haq.agent.session.Episode;
import dev.haq.agent.session.SessionLimits;
import dev.haq.agent.session.SessionRecord;
import dev.haq.agent.session.SessionService;
import dev.haq.agent.session.SessionStore;
import dev.haq.model.HaqException;
import dev.haq.proto.agent.v1.CreateSessionRequest;
import dev.haq.proto.agent.v1.DeleteSessionRequest;
import dev.haq.proto.agent.v1.ExtendSessionRequest;
import dev.haq.proto.agent.v1.ListEpisodesRequest;
import dev.haq.proto.agent.v1.ListEpisodesResponse;
import dev.haq.proto.agent.v1.ListSessionsRequest;
import dev.haq.proto.agent.v1.ListSessionsResponse;
import dev.haq.proto.agent.v1.PredictFrontEvent;
import dev.haq.proto.agent.v1.PredictFrontRequest;
import dev.haq.proto.agent.v1.SearchAgentGrpcService;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionEvent;
import dev.haq.proto.agent.v1.WatchSessionRequest;
import dev.haq.rpc.Call;
import dev.haq.rpc.ResponseStream;
import dev.haq.rpc.RpcService;
import java.util.List;
import java.util.OptionalLong;

/** {@code haq.agent.v1.SearchAgent}: each method decodes, calls, encodes. */
public final class SearchAgentHandler {
  private static final int DEFAULT_PAGE = 100;
  private static final int LARGEST_PAGE = 1000;

  private final SessionService sessions;
  private final SessionComparisons comparisons;
  private final FrontPredictions predictions;

  public SearchAgentHandler(
      SessionService sessions, SessionComparisons comparisons, FrontPredictions predictions) {
    this.sessions = sessions;
    this.comparisons = comparisons;
    this.predictions = predictions;
  }

  /** The methods, for a server. */
  public RpcService service() {
    return RpcService.named(
            SearchAgentGrpcService.SERVICE_NAME, SearchAgentGrpcService.SERVICE_DESCRIPTOR)
        .unary(SearchAgentGrpcService.CreateSession, this::createSession)
        .unary(SearchAgentGrpcService.GetSession, (q, call) -> getSession(q.getId()))
        .unary(SearchAgentGrpcService.ListSessions, this::listSessions)
        .unary(SearchAgentGrpcService.ListEpisodes, this::listEpisodes)
        .serverStream(SearchAgentGrpcService.WatchSession, this::watchSession)
        .unary(
            SearchAgentGrpcService.PauseSession,
            (q, call) -> toProto(sessions.pause(q.getId(), q.getEtag())))
        .unary(
            SearchAgentGrpcService.ResumeSession,
            (q, call) -> toProto(sessions.resume(q.getId(), q.getEtag())))
        .unary(
            SearchAgentGrpcService.StopSession,
            (q, call) -> toProto(sessions.stop(q.getId(), q.getEtag())))
        .unary(
            SearchAgentGrpcService.CancelSession,
            (q, call) -> toProto(sessions.cancel(q.getId(), q.getEtag())))
        .unary(SearchAgentGrpcService.ExtendSession, this::extendSession)
        .unary(SearchAgentGrpcService.DeleteSession, this::deleteSession)
        .unary(
            SearchAgentGrpcService.GetFront,
            (q, call) -> ComparisonWire.toProto(comparisons.front(q.getSessionId())))
        .unary(
            SearchAgentGrpcService.GetTransfer,
            (q, call) ->
                ComparisonWire.toProto(
                    comparisons.transfer(q.getSessionIdsList(), call::onCancel),
                    id -> new SessionWire(sessions.get(id))))
        .serverStream(SearchAgentGrpcService.PredictFront, this::predictFront);
  }

  private void predictFront(PredictFrontRequest request, ResponseStream<PredictFrontEvent> out) {
    FrontPredictions.Prediction prediction =
        FrontWire.naming(
            () ->
                predictions.predict(
                    FrontWire.fromProto(request),
                    preparation -> out.send(FrontWire.toProto(preparation)),
                    out::onCancel));
    out.send(FrontWire.toProto(prediction));
    out.end();
  }

  private Session extendSession(ExtendSessionRequest request, Call call) {
    SessionLimits limits = SpecWire.limits(request.getEpisodes(), request.getEarlyEnds());
    return toProto(sessions.extend(request.getId(), request.getEtag(), limits));
  }

  private Empty deleteSession(DeleteSessionRequest request, Call call) {
    sessions.delete(request.getId(), request.getEtag());
    return Empty.getDefaultInstance();
  }

  private Session createSession(CreateSessionRequest request, Call call) {
    if (!request.hasSpec()) {
      throw HaqException.invalid("spec is missing");
    }
    return toProto(
        sessions.create(
            SpecWire.fromProto(request.getSpec()), request.getRequestId(), call::onCancel));
  }

  private ListSessionsResponse listSessions(ListSessionsRequest request, Call call) {
    int size = pageSize(request.getPageSize());
    String token = request.getPageToken();
    OptionalLong before = token.isEmpty() ? OptionalLong.empty() : OptionalLong.of(number(token));
    SessionStore.Page page = sessions.list(before, size);
    ListSessionsResponse.Builder response = ListSessionsResponse.newBuilder();
    page.sessions().forEach(session -> response.addSessions(brief(session)));
    page.next().ifPresent(next -> response.setNextPageToken(Long.toString(next)));
    return response.build();
  }

  private ListEpisodesResponse listEpisodes(ListEpisodesRequest request, Call call) {
    int size = pageSize(request.getPageSize());
    SessionWire wire = new SessionWire(sessions.get(request.getSessionId()));
    List<Episode> found =
        sessions.episodes(request.getSessionId(), after(request.getPageToken()), size + 1);
    ListEpisodesResponse.Builder response = ListEpisodesResponse.newBuilder();
    found.stream().limit(size).forEach(episode -> response.addEpisodes(wire.episode(episode)));
    if (found.size() > size) {
      response.setNextPageToken(Integer.toString(found.get(size - 1).number()));
    }
    return response.build();
  }

  private void watchSession(WatchSessionRequest request, ResponseStream<SessionEvent> out) {
    sessions.watch(
        request.getSessionId(),
        request.getAfterEpisode(),
        new StreamSink(out, sessions::preparation));
  }

  private Session getSession(String id) {
    SessionRecord session = sessions.get(id);
    Session.Builder message = toProto(session).toBuilder();
    sessions.tuning(session).map(SessionWire::toProto).ifPresent(message::setTuning);
    return message.build();
  }

  private Session toProto(SessionRecord session) {
    return SessionWire.toProto(session, sessions.preparation(session.id()));
  }

  private Session brief(SessionRecord session) {
    return SessionWire.brief(session).session(session, sessions.preparation(session.id()));
  }

  private static int pageSize(int asked) {
    if (asked < 0 || asked > LARGEST_PAGE) {
      throw HaqException.invalid(
          "page_size is %d: use 1 to %d, or 0 for %d", asked, LARGEST_PAGE, DEFAULT_PAGE);
    }
    return asked == 0 ? DEFAULT_PAGE : asked;
  }

  /** An episode token is the number of the last episode seen. */
  private static int after(String token) {
    return token.isEmpty() ? 0 : number(token);
  }

  private static int number(String token) {
    if (token.matches("[0-9]{1,9}")) {
      return Integer.parseInt(token);
    }
    throw HaqException.invalid(
        "page_token '%s' is not one of this service: use next_page_token, or none", token);
  }
}
