package dev.haq.agent.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.haq.agent.PostgresServer;
import dev.haq.agent.search.BudgetLimit;
import dev.haq.agent.session.Episode;
import dev.haq.agent.session.Fleet;
import dev.haq.agent.session.FleetBests;
import dev.haq.agent.session.SessionRecord;
import dev.haq.agent.session.SessionStore;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A database that was written before sessions had several targets. */
final class OldSchemaTest {
  private static final String BEFORE = "20";

  @TempDir Path directory;

  @Test
  void oldSessionsInAFileAreRead() throws SQLException {
    String url = "jdbc:h2:file:" + directory.resolve("old");
    String old = url + ";MODE=PostgreSQL;DATABASE_TO_LOWER=TRUE";
    fill(old, "binary large object");
    assertRead(url);
  }

  @Test
  void oldSessionsInPostgresAreRead() throws SQLException, IOException {
    try (EmbeddedPostgres server = PostgresServer.start()) {
      String url = server.getJdbcUrl("postgres", "postgres");
      fill(url, "bytea");
      assertRead(url);
    }
  }

  private static void fill(String url, String bytes) throws SQLException {
    Flyway.configure()
        .dataSource(url, null, null)
        .locations("classpath:dev/haq/agent/store/migration")
        .placeholders(Map.of("bytes", bytes))
        .target(BEFORE)
        .load()
        .migrate();
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      statement.execute(
          "insert into session (id, spec, layers, budget_limit, reference_cost, episodes_total,"
              + " created_at, state, pause_requested, error, episodes_done, episode_seconds,"
              + " best_episode, updated_at) values ('old', '{}', '[\"a\"]', 0.5, 1, 2,"
              + " timestamp with time zone '2026-01-02 03:04:05+00', 'PAUSED', false, '', 1, 40, 1,"
              + " timestamp with time zone '2026-01-02 03:04:15+00')");
      statement.execute(
          "insert into episode (session_id, number, policy, reward, images, top1_correct,"
              + " top5_correct, cross_entropy_sum, cycles, latency_seconds, model_size_bytes,"
              + " cost_ratio, improved, best_reward, warmup, seconds, agent_seconds,"
              + " simulator_seconds, quantizer_seconds, created_at) values ('old', 1, '8/8', -0.5,"
              + " 10, 9, 10, 1.5, 7, 0.25, 3, 0.4, true, -0.5, false, 40, 1, 0, 0,"
              + " current_timestamp)");
    }
  }

  private static void assertRead(String url) {
    try (SessionStore store = SqlSessionStore.open(url)) {
      SessionRecord session = store.find("old").orElseThrow();
      assertEquals(Fleet.NONE, session.definition().fleet());
      assertEquals(List.of(new BudgetLimit(0.5, 1)), session.definition().budgets());
      assertEquals(FleetBests.NONE, session.progress().fleet());
      Episode episode = session.progress().best().orElseThrow();
      assertEquals(List.of(episode), store.episodes("old", 0, 10));
      assertEquals(0.25, episode.result().cost().latencySeconds());
      assertEquals(0.4, episode.result().costRatio());
      assertEquals(List.of(), episode.improvedFor());
      assertEquals(40, episode.elapsedSeconds());
      assertEquals(10, session.progress().episodeSeconds(), "it is not older than that");
      assertFalse(episode.result().costs().get(0).isEmpty());
    }
  }
}
