package dev.haq.agent.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.agent.session.SessionRecord;
import dev.haq.agent.session.SessionStore;
import dev.haq.model.HaqException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sessions in a file of the embedded database. */
final class H2FileStoreTest extends SessionStoreContract {
  @TempDir Path directory;

  @Override
  SessionStore open() {
    return SqlSessionStore.open("jdbc:h2:file:" + directory.resolve("sessions"));
  }

  @Test
  void sessionsOutliveTheirStore() {
    String url = "jdbc:h2:file:" + directory.resolve("other");
    SessionRecord session;
    try (SessionStore first = SqlSessionStore.open(url)) {
      session = first.create(session("r1"));
    }
    try (SessionStore second = SqlSessionStore.open(url)) {
      assertEquals(Optional.of(session), second.find(session.id()));
    }
  }

  @Test
  void aSessionStoredBeforeThereWasFineTuningIsReadAndCarriedOnWith() throws Exception {
    String url = "jdbc:h2:file:" + directory.resolve("old");
    String dialect = url + ";MODE=PostgreSQL;DATABASE_TO_LOWER=TRUE";
    Flyway.configure()
        .dataSource(dialect, "", "")
        .locations("classpath:dev/haq/agent/store/migration")
        .placeholders(Map.of("bytes", "binary large object"))
        .target("20")
        .load()
        .migrate();
    try (Connection old = DriverManager.getConnection(dialect);
        Statement statement = old.createStatement()) {
      statement.execute(
          "insert into session (id, spec, layers, budget_limit, reference_cost, episodes_total,"
              + " created_at, state, pause_requested, error, episodes_done, episode_seconds,"
              + " updated_at) values ('old', '{}', '[]', 1, 2, 3, current_timestamp, 'RUNNING',"
              + " false, '', 0, 0, current_timestamp)");
    }
    try (SessionStore store = SqlSessionStore.open(url)) {
      SessionRecord session = store.find("old").orElseThrow();
      assertEquals(Optional.empty(), session.progress().tunings().of(0));
      assertEquals(List.of(session), store.unleased(10));
    }
  }

  @Test
  void aUrlThatIsNoUrlIsRefusedWithAHint() {
    HaqException error = assertThrows(HaqException.class, () -> SqlSessionStore.open("somewhere"));
    assertTrue(error.getMessage().contains("store.url 'somewhere'"), error.getMessage());
  }

  @Test
  void aFileThatAnotherProcessHoldsIsRefusedSayingSo() throws Exception {
    Path locked = directory.resolve("locked.mv.db");
    SqlSessionStore.open("jdbc:h2:file:" + directory.resolve("locked")).close();
    try (FileChannel other = FileChannel.open(locked, StandardOpenOption.WRITE);
        FileLock lock = other.lock()) {
      assertTrue(lock.isValid());
      HaqException error =
          assertThrows(
              HaqException.class,
              () -> SqlSessionStore.open("jdbc:h2:file:" + directory.resolve("locked")));
      assertTrue(error.getMessage().contains("in use by another process"), error.getMessage());
    }
  }
}
