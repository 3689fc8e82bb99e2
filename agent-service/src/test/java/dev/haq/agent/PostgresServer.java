package dev.haq.agent;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.time.Duration;

/** A real PostgreSQL server, waited for as long as a busy machine may take. */
public final class PostgresServer {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private PostgresServer() {}

  public static EmbeddedPostgres start() throws IOException {
    return builder().start();
  }

  static EmbeddedPostgres.Builder builder() {
    return EmbeddedPostgres.builder().setPGStartupWait(PATIENCE);
  }
}
