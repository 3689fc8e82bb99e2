package dev.haq.gateway.http;

import static dev.haq.gateway.http.Endpoints.query;

import com.google.protobuf.Message;
import dev.haq.gateway.GatewaySettings;
import dev.haq.gateway.backend.Backend;
import dev.haq.proto.agent.v1.CancelSessionRequest;
import dev.haq.proto.agent.v1.CreateSessionRequest;
import dev.haq.proto.agent.v1.DeleteSessionRequest;
import dev.haq.proto.agent.v1.ExtendSessionRequest;
import dev.haq.proto.agent.v1.GetFrontRequest;
import dev.haq.proto.agent.v1.GetSessionRequest;
import dev.haq.proto.agent.v1.GetTransferRequest;
import dev.haq.proto.agent.v1.ListEpisodesRequest;
import dev.haq.proto.agent.v1.ListSessionsRequest;
import dev.haq.proto.agent.v1.PauseSessionRequest;
import dev.haq.proto.agent.v1.ResumeSessionRequest;
import dev.haq.proto.agent.v1.SearchAgentGrpc;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionEvent;
import dev.haq.proto.agent.v1.StopSessionRequest;
import dev.haq.proto.agent.v1.WatchSessionRequest;
import dev.haq.wire.BestPolicy;
import io.grpc.MethodDescriptor;
import io.vertx.core.Handler;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.BiFunction;
import java.util.function.Function;

/** Search sessions: {@code /v1/sessions} and what lies below it. */
final class SessionApi {
  private final Backend agent;
  private final GatewaySettings settings;
  private final EventStreams streams;
  private final JsonBodies bodies;

  SessionApi(GatewaySettings settings, Backend agent, EventStreams streams, JsonBodies bodies) {
    this.agent = agent;
    this.settings = settings;
    this.streams = streams;
    this.bodies = bodies;
  }

  void mount(Router router) {
    bodies.post(
        router,
        "/v1/sessions",
        call(
            SearchAgentGrpc.getCreateSessionMethod(),
            settings.deadlines().session(),
            session -> Reply.created(session, "/v1/sessions/" + session.getId())),
        CreateSessionRequest::newBuilder,
        SessionApi::identified);
    router
        .get("/v1/sessions")
        .handler(
            query(
                read(SearchAgentGrpc.getListSessionsMethod(), Reply::ok),
                ctx -> Query.page(ctx, ListSessionsRequest.newBuilder()).build()));
    router
        .get("/v1/sessions/:id")
        .handler(query(read(SearchAgentGrpc.getGetSessionMethod(), Reply::ok), SessionApi::get));
    router
        .delete("/v1/sessions/:id")
        .handler(
            query(
                call(
                    SearchAgentGrpc.getDeleteSessionMethod(),
                    settings.deadlines().session(),
                    nothing -> Reply.noContent()),
                ctx ->
                    DeleteSessionRequest.newBuilder()
                        .setId(Query.path(ctx, "id"))
                        .setEtag(etag(ctx))
                        .build()));
    router.get("/v1/sessions/:id/best").handler(this::best);
    router
        .get("/v1/sessions/:id/episodes")
        .handler(
            query(
                read(SearchAgentGrpc.getListEpisodesMethod(), Reply::ok),
                ctx ->
                    Query.page(ctx, ListEpisodesRequest.newBuilder())
                        .setSessionId(Query.path(ctx, "id"))
                        .build()));
    router
        .get("/v1/sessions/:id/front")
        .handler(
            query(
                read(SearchAgentGrpc.getGetFrontMethod(), Reply::ok),
                ctx -> GetFrontRequest.newBuilder().setSessionId(Query.path(ctx, "id")).build()));
    router
        .get("/v1/transfer")
        .handler(
            query(
                read(SearchAgentGrpc.getGetTransferMethod(), Reply::ok),
                ctx ->
                    GetTransferRequest.newBuilder()
                        .addAllSessionIds(Query.all(ctx, "session_id"))
                        .build()));
    router.get("/v1/sessions/:id/events").handler(this::events);
    Map<String, Handler<RoutingContext>> actions = actions();
    router
        .postWithRegex("/v1/sessions/(?<id>[^/:]+):(?<action>[^/:]+)")
        .handler(bodies::collect)
        .handler(ctx -> act(ctx, actions));
  }

  private Map<String, Handler<RoutingContext>> actions() {
    Map<String, Handler<RoutingContext>> actions = new TreeMap<>();
    actions.put(
        "pause",
        action(
            SearchAgentGrpc.getPauseSessionMethod(),
            (id, etag) -> PauseSessionRequest.newBuilder().setId(id).setEtag(etag).build()));
    actions.put(
        "resume",
        action(
            SearchAgentGrpc.getResumeSessionMethod(),
            (id, etag) -> ResumeSessionRequest.newBuilder().setId(id).setEtag(etag).build()));
    actions.put(
        "stop",
        action(
            SearchAgentGrpc.getStopSessionMethod(),
            (id, etag) -> StopSessionRequest.newBuilder().setId(id).setEtag(etag).build()));
    actions.put(
        "cancel",
        action(
            SearchAgentGrpc.getCancelSessionMethod(),
            (id, etag) -> CancelSessionRequest.newBuilder().setId(id).setEtag(etag).build()));
    actions.put("extend", extend());
    return actions;
  }

  private <Q> Handler<RoutingContext> action(
      MethodDescriptor<Q, Session> method, BiFunction<String, String, Q> request) {
    return query(
        call(method, settings.deadlines().session(), Reply::ok),
        ctx -> request.apply(Query.path(ctx, "id"), etag(ctx)));
  }

  private Handler<RoutingContext> extend() {
    UnaryCall<ExtendSessionRequest, Session> extend =
        call(SearchAgentGrpc.getExtendSessionMethod(), settings.deadlines().session(), Reply::ok);
    return ctx ->
        bodies
            .body(
                extend,
                ExtendSessionRequest::newBuilder,
                request -> request.setId(Query.path(ctx, "id")).setEtag(etag(ctx)).build())
            .handle(ctx);
  }

  /** The session as the caller knows it: quoted, as HTTP has it, or as it stands in the session. */
  private static String etag(RoutingContext ctx) {
    String match = ctx.request().getHeader(HttpHeaders.IF_MATCH);
    return match == null || match.strip().equals("*") ? "" : match.strip().replace("\"", "");
  }

  private static void act(RoutingContext ctx, Map<String, Handler<RoutingContext>> actions) {
    String name = Query.path(ctx, "action");
    Handler<RoutingContext> action = actions.get(name);
    if (action == null) {
      throw new Problem.HttpException(
          404,
          "NO_SUCH_RESOURCE",
          "a session has no action '%s': use one of %s".formatted(name, actions.keySet()));
    }
    action.handle(ctx);
  }

  private void best(RoutingContext ctx) {
    Function<Session, BestPolicy> choice = chosen(ctx);
    read(
            SearchAgentGrpc.getGetSessionMethod(),
            session -> Reply.ok(choice.apply(session).episode()))
        .start(ctx, get(ctx));
  }

  /** Which of a session's best policies the parameter {@code target} asks for. */
  static Function<Session, BestPolicy> chosen(RoutingContext ctx) {
    Optional<String> target = Query.text(ctx, "target");
    return session ->
        target.map(name -> BestPolicy.of(session, name)).orElseGet(() -> BestPolicy.own(session));
  }

  private void events(RoutingContext ctx) {
    WatchSessionRequest request =
        WatchSessionRequest.newBuilder()
            .setSessionId(Query.path(ctx, "id"))
            .setAfterEpisode(after(ctx))
            .build();
    EventStream.Feed<WatchSessionRequest, SessionEvent> feed =
        new EventStream.Feed<>(
            agent, SearchAgentGrpc.getWatchSessionMethod(), true, SessionApi::format);
    streams.open(feed, ctx, request);
  }

  /**
   * {@code snapshot}, {@code episode} with the episode's number as id, {@code state}, {@code
   * tuning}.
   */
  private static String format(SessionEvent event) {
    return switch (event.getEventCase()) {
      case SNAPSHOT -> Sse.event("snapshot", event.getSnapshot());
      case EPISODE -> Sse.event("episode", event.getEpisode().getNumber(), event.getEpisode());
      case STATE -> Sse.event("state", event.getState());
      case TUNING -> Sse.event("tuning", event.getTuning());
      case EVENT_NOT_SET -> Sse.UNKNOWN;
    };
  }

  /** The header, which an EventSource sends when it connects again, goes before the parameter. */
  private static int after(RoutingContext ctx) {
    String last = ctx.request().getHeader("Last-Event-ID");
    if (last != null && !last.isBlank()) {
      return Query.count("Last-Event-ID", last);
    }
    return Query.text(ctx, "after").map(value -> Query.count("after", value)).orElse(0);
  }

  private <Q, R extends Message> UnaryCall<Q, R> read(
      MethodDescriptor<Q, R> method, Function<R, Reply> encode) {
    return call(method, settings.deadlines().read(), encode);
  }

  private <Q, R extends Message> UnaryCall<Q, R> call(
      MethodDescriptor<Q, R> method, Duration deadline, Function<R, Reply> encode) {
    return new UnaryCall<>(agent, method, deadline, encode);
  }

  private static GetSessionRequest get(RoutingContext ctx) {
    return GetSessionRequest.newBuilder().setId(Query.path(ctx, "id")).build();
  }

  /**
   * A creation without an id of its own gets one, so that a retry between here and the agent is
   * harmless.
   */
  private static CreateSessionRequest identified(CreateSessionRequest.Builder request) {
    if (request.getRequestId().isEmpty()) {
      request.setRequestId(UUID.randomUUID().toString());
    }
    return request.build();
  }
}
