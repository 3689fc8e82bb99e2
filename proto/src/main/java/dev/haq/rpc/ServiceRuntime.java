package dev.haq.rpc;

import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.spi.observability.HttpRequest;
import io.vertx.micrometer.Label;
import io.vertx.micrometer.MicrometerMetricsFactory;
import io.vertx.micrometer.MicrometerMetricsOptions;
import java.util.EnumSet;
import java.util.Set;

/**
 * What the services of one process share: the Vert.x instance, its event loops, and the registry of
 * metrics.
 *
 * @param metrics scraped at {@code GET /metrics} of every server of the process
 */
public record ServiceRuntime(Vertx vertx, PrometheusMeterRegistry metrics)
    implements AutoCloseable {
  /** Each of few values, whatever callers send: meters are never freed. */
  private static final Set<Label> LABELS =
      EnumSet.of(
          Label.HTTP_ROUTE, Label.HTTP_CODE, Label.POOL_TYPE, Label.POOL_NAME, Label.EB_SIDE);

  /** Those that a metric may tell apart; a caller can invent others. */
  private static final Set<HttpMethod> METHODS =
      Set.of(
          HttpMethod.GET,
          HttpMethod.HEAD,
          HttpMethod.POST,
          HttpMethod.PUT,
          HttpMethod.PATCH,
          HttpMethod.DELETE,
          HttpMethod.OPTIONS);

  /** A runtime with Vert.x and JVM metrics. */
  public static ServiceRuntime create() {
    PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    Vertx vertx =
        Vertx.builder()
            .with(
                new VertxOptions()
                    .setFileSystemOptions(withoutCache())
                    .setMetricsOptions(
                        new MicrometerMetricsOptions()
                            .setEnabled(true)
                            .setJvmMetricsEnabled(true)
                            .setLabels(LABELS)
                            .setServerRequestTagsProvider(ServiceRuntime::method)))
            .withMetrics(new MicrometerMetricsFactory(metrics))
            .build();
    return new ServiceRuntime(vertx, metrics);
  }

  /**
   * No service reads class-path resources as files of Vert.x, whose folder for them a process that
   * is killed would leave behind.
   */
  private static FileSystemOptions withoutCache() {
    return new FileSystemOptions().setClassPathResolvingEnabled(false).setFileCachingEnabled(false);
  }

  /** Not a filter of the registry, which would remember every method that it replaced. */
  private static Iterable<Tag> method(HttpRequest request) {
    String name = METHODS.contains(request.method()) ? request.method().name() : "OTHER";
    return Tags.of(Label.HTTP_METHOD.toString(), name);
  }

  /** Closes Vert.x and waits until it has; to be called from a plain thread. */
  @Override
  public void close() {
    vertx.close().await();
    metrics.close();
  }
}
