package dev.haq.rpc;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.micrometer.MicrometerMetricsFactory;
import io.vertx.micrometer.MicrometerMetricsOptions;

/**
 * What the services of one process share: the Vert.x instance, its event loops, and the registry of
 * metrics.
 *
 * @param metrics scraped at {@code GET /metrics} of every server of the process
 */
public record ServiceRuntime(Vertx vertx, PrometheusMeterRegistry metrics)
    implements AutoCloseable {
  /** A runtime with Vert.x and JVM metrics. */
  public static ServiceRuntime create() {
    PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    Vertx vertx =
        Vertx.builder()
            .with(
                new VertxOptions()
                    .setMetricsOptions(
                        new MicrometerMetricsOptions().setEnabled(true).setJvmMetricsEnabled(true)))
            .withMetrics(new MicrometerMetricsFactory(metrics))
            .build();
    return new ServiceRuntime(vertx, metrics);
  }

  /** Closes Vert.x and waits until it has; to be called from a plain thread. */
  @Override
  public void close() {
    vertx.close().await();
    metrics.close();
  }
}
