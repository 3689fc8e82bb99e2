package dev.haq.gateway.http;

import dev.haq.gateway.GatewaySettings;
import dev.haq.gateway.backend.Backend;
import dev.haq.gateway.backend.Backends;
import dev.haq.gateway.web.WebPage;
import dev.haq.rpc.ServiceRuntime;
import io.micrometer.core.instrument.Gauge;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.HttpException;

/** Everything the gateway answers on its port: the API, health, metrics and the page. */
public final class GatewayRouter {
  private final Router router;
  private final Probes probes;
  private final EventStreams streams;
  private final Connections connections;

  public GatewayRouter(ServiceRuntime runtime, GatewaySettings settings, Backends backends) {
    router = Router.router(runtime.vertx());
    streams = new EventStreams(settings.heartbeatMillis());
    probes = new Probes(backends, settings.deadlines().health());
    connections = new Connections(runtime.vertx(), settings.deadlines().idle());
    JsonBodies bodies = new JsonBodies(runtime.vertx(), settings);
    long most = Math.max(settings.limits().modelBytes(), settings.limits().datasetBytes());
    router.route().handler(connections);
    router
        .route()
        .handler(
            ctx -> {
              Bodies.dropRest(ctx, most);
              ctx.next();
            });
    router.route().handler(new OwnPages(settings));
    router.route().failureHandler(GatewayRouter::fail);
    for (int status : new int[] {400, 404, 413}) {
      router.errorHandler(status, ctx -> Problem.of(ctx, status).send(ctx));
    }
    router.get("/healthz").handler(ctx -> ctx.response().end("ok\n"));
    router.get("/readyz").handler(probes::ready);
    router.get("/v1/services").handler(probes::services);
    router
        .get("/metrics")
        .handler(
            ctx ->
                ctx.response()
                    .putHeader("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
                    .end(runtime.metrics().scrape()));
    new CatalogueApi(settings, backends, bodies).mount(router);
    new SessionApi(settings, backends.agent(), streams, bodies).mount(router);
    new LongWorkApi(backends, streams, bodies).mount(router);
    new ExportApi(settings, backends, bodies).mount(router);
    new WebPage().mount(router);
    AllowedMethods allowed = new AllowedMethods(router);
    router.errorHandler(
        405,
        ctx -> {
          ctx.response().putHeader("Allow", allowed.of(ctx.normalizedPath()));
          Problem.of(ctx, 405).send(ctx);
        });
    Gauge.builder("haq.gateway.event.streams", streams, EventStreams::size)
        .description("Event streams open")
        .register(runtime.metrics());
  }

  public Handler<HttpServerRequest> handler() {
    return router;
  }

  /** What is to be told of every connection. */
  public Connections connections() {
    return connections;
  }

  /** Whether a service takes calls now, and this gateway passes them on. */
  public Future<Boolean> serves(Backend backend) {
    return probes.serves(backend);
  }

  /** Reports not ready and ends the event streams, so that their readers come back elsewhere. */
  public void stop() {
    probes.stop();
    streams.stop();
  }

  private static void fail(RoutingContext ctx) {
    // The router's own failures, and its handlers', carry nothing but a status.
    boolean bare = ctx.failure() == null || ctx.failure() instanceof HttpException;
    Problem problem = bare ? Problem.of(ctx, ctx.statusCode()) : Problem.of(ctx.failure());
    problem.send(ctx);
  }
}
