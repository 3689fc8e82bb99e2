package dev.haq.agent.store;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.agent.PostgresServer;
import dev.haq.agent.session.SessionStore;
import dev.haq.model.HaqException;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Sessions in a PostgreSQL server, an empty database for each test. */
final class PostgresStoreTest extends SessionStoreContract {
  private static EmbeddedPostgres server;
  private static int databases;

  @BeforeAll
  static void startServer() throws IOException {
    server = PostgresServer.start();
  }

  @AfterAll
  static void stopServer() throws IOException {
    if (server != null) {
      server.close();
    }
  }

  @Override
  SessionStore open() {
    String name = "sessions" + ++databases;
    try (Connection connection = server.getPostgresDatabase().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("create database " + name);
    } catch (SQLException e) {
      throw new IllegalStateException("database " + name + " cannot be made", e);
    }
    return SqlSessionStore.open(server.getJdbcUrl("postgres", name));
  }

  @Test
  void aDatabaseThatCannotBeOpenedIsNamedWithoutItsPassword() {
    String url = server.getJdbcUrl("postgres", "nowhere") + "&password=s3cret&ssl=false";
    HaqException error = assertThrows(HaqException.class, () -> SqlSessionStore.open(url));
    assertTrue(error.getMessage().contains("/nowhere"), error.getMessage());
    assertFalse(error.getMessage().contains("s3cret"), error.getMessage());
  }
}
