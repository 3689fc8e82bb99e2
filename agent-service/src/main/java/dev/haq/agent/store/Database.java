package dev.haq.agent.store;

import dev.haq.model.HaqException;
import io.agroal.api.AgroalDataSource;
import io.agroal.api.configuration.AgroalConnectionPoolConfiguration.ConnectionValidator;
import io.agroal.api.configuration.supplier.AgroalConnectionPoolConfigurationSupplier;
import io.agroal.api.configuration.supplier.AgroalDataSourceConfigurationSupplier;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Pattern;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.configuration.FluentConfiguration;

/** A pool of connections to a database whose schema is up to date. */
final class Database implements AutoCloseable {
  private static final String H2 = "jdbc:h2:";

  /**
   * PostgreSQL's dialect; space of replaced checkpoints is used again after a second; the pool, not
   * the JVM's exit, closes the database.
   */
  private static final String H2_OPTIONS =
      ";MODE=PostgreSQL;DATABASE_TO_LOWER=TRUE;RETENTION_TIME=1000;DB_CLOSE_ON_EXIT=FALSE";

  /**
   * Writes what is committed to the file. H2's own way, {@code WRITE_DELAY=0}, also turns off the
   * thread that gives back space: the file then grows by every checkpoint ever written.
   */
  private static final String H2_FLUSH = "checkpoint";

  /** In a URL: a parameter, of whatever case, or between a user's name and the host. */
  private static final Pattern PASSWORD =
      Pattern.compile("(?i)((?:password|pwd)=)[^&;]*|(://[^/:@?;]*:)[^/@]*(?=@)");

  private static final String MIGRATIONS = "classpath:dev/haq/agent/store/migration";

  /** Further ones, which H2 does not understand. */
  private static final String POSTGRESQL_MIGRATIONS = MIGRATIONS + "-postgresql";

  private static final int MAX_CONNECTIONS = 8;

  /** A connection to a server that was idle for so long is tried before it is used. */
  private static final Duration IDLE = Duration.ofSeconds(1);

  /** The most that such a try takes. */
  private static final int TRY_SECONDS = 5;

  /** Connections grow no older: they follow a server that has moved. */
  private static final Duration LIFETIME = Duration.ofMinutes(30);

  /** The most that a server's answer is waited for, unless the URL says otherwise. */
  private static final String ANSWER_SECONDS = "60";

  /**
   * A server's answers come in binary form from the first execution of a statement on, not the
   * fifth: text takes twice as long to read scores. Unless the URL says otherwise.
   */
  private static final String BINARY = "-1";

  /**
   * How SQL states begin after which a connection is of no use: it broke (08), the server goes or
   * has not come yet (57P), or it has become another's standby (25006).
   */
  private static final List<String> LOST = List.of("08", "57P", "25006");

  /** SQL state of a connection that could not be made. */
  private static final String UNCONNECTED = "08001";

  /** H2's error code of a database file that another process holds. */
  private static final int ALREADY_OPEN = 90020;

  private final AgroalDataSource pool;
  private final boolean h2;

  private Database(AgroalDataSource pool, boolean h2) {
    this.pool = pool;
    this.h2 = h2;
  }

  /**
   * Opens a database and migrates it.
   *
   * @param url {@code memory} for one that is gone when it closes, or a JDBC URL; user and
   *     password, where needed, are part of it
   */
  static Database open(String url) {
    String jdbcUrl = jdbcUrl(url);
    boolean h2 = jdbcUrl.startsWith(H2);
    checkReachable(jdbcUrl, url);
    AgroalDataSourceConfigurationSupplier configuration =
        new AgroalDataSourceConfigurationSupplier()
            .connectionPoolConfiguration(
                pool -> {
                  pool.initialSize(1)
                      .minSize(1)
                      .maxSize(MAX_CONNECTIONS)
                      .acquisitionTimeout(Duration.ofSeconds(30))
                      .connectionFactoryConfiguration(
                          factory -> {
                            factory.jdbcUrl(jdbcUrl).autoCommit(false);
                            return h2
                                ? factory
                                : factory
                                    .jdbcProperty("socketTimeout", ANSWER_SECONDS)
                                    .jdbcProperty("prepareThreshold", BINARY);
                          });
                  return h2 ? pool : replacingLostConnections(pool);
                });
    AgroalDataSource pool;
    try {
      pool = AgroalDataSource.from(configuration);
    } catch (SQLException e) {
      throw cannotOpen(url, e);
    }
    try {
      FluentConfiguration migrations = migrations(h2);
      // A server's answers are waited for without end here: an index may take minutes to make.
      (h2 ? migrations.dataSource(pool) : migrations.dataSource(jdbcUrl, null, null))
          .load()
          .migrate();
    } catch (FlywayException e) {
      pool.close();
      throw HaqException.invalid(
          "session store %s: its schema cannot be brought up to date: %s",
          withoutPassword(url), firstLine(e));
    }
    return new Database(pool, h2);
  }

  private static FluentConfiguration migrations(boolean h2) {
    return h2
        ? Flyway.configure()
            .locations(MIGRATIONS)
            .placeholders(Map.of("bytes", "binary large object"))
        : Flyway.configure()
            .locations(MIGRATIONS, POSTGRESQL_MIGRATIONS)
            .placeholders(Map.of("bytes", "bytea"));
  }

  /** For a server, which may restart; an embedded database ends with its last connection. */
  private static AgroalConnectionPoolConfigurationSupplier replacingLostConnections(
      AgroalConnectionPoolConfigurationSupplier pool) {
    return pool.exceptionSorter(Database::isLost)
        .connectionValidator(ConnectionValidator.defaultValidatorWithTimeout(TRY_SECONDS))
        .idleValidationTimeout(IDLE)
        .maxLifetime(LIFETIME);
  }

  /** Whether the database is away, for this connection at least. */
  static boolean isLost(SQLException e) {
    return e.getSQLState() != null && LOST.stream().anyMatch(e.getSQLState()::startsWith);
  }

  private static String jdbcUrl(String url) {
    if (url.equals("memory")) {
      return H2 + "mem:" + UUID.randomUUID() + H2_OPTIONS;
    }
    if (!url.startsWith("jdbc:")) {
      throw HaqException.invalid(
          "store.url '%s': use memory or a JDBC URL such as jdbc:h2:file:./haq-data/sessions",
          withoutPassword(url));
    }
    return url.startsWith(H2) ? url + H2_OPTIONS : url;
  }

  /** The pool would only report a time-out: one connection of our own tells what is wrong. */
  private static void checkReachable(String jdbcUrl, String url) {
    try {
      DriverManager.getConnection(jdbcUrl).close();
    } catch (SQLException e) {
      throw cannotOpen(url, e);
    }
  }

  private static HaqException cannotOpen(String url, SQLException e) {
    return e.getErrorCode() == ALREADY_OPEN
        ? HaqException.invalid(
            "session store %s is in use by another process: stop that one, or set store.url to"
                + " another file",
            withoutPassword(url))
        : HaqException.invalid(
            "session store %s cannot be opened: %s", withoutPassword(url), firstLine(e));
  }

  /** As it may be logged. */
  private static String withoutPassword(String url) {
    return PASSWORD
        .matcher(url)
        .replaceAll(found -> (found.group(1) != null ? found.group(1) : found.group(2)) + "...");
  }

  private static String firstLine(Exception e) {
    // Some drivers quote the URL.
    return withoutPassword(String.valueOf(e.getMessage()).strip().lines().findFirst().orElse(""));
  }

  /** Whether one process at a time can use it. */
  boolean isExclusive() {
    return h2;
  }

  /** What is done on one connection, between begin and commit. */
  interface Work<T> {
    T on(Connection connection) throws SQLException;
  }

  /** Runs queries that change nothing. */
  <T> T reading(Work<T> work) throws SQLException {
    return inTransaction(work);
  }

  /** Commits what {@code work} does, durably, or, when it throws, nothing of it. */
  <T> T writing(Work<T> work) throws SQLException {
    return inTransaction(
        connection -> {
          T result = work.on(connection);
          if (h2) {
            connection.commit();
            try (Statement flush = connection.createStatement()) {
              flush.execute(H2_FLUSH);
            }
          }
          return result;
        });
  }

  private <T> T inTransaction(Work<T> work) throws SQLException {
    try (Connection connection = connection()) {
      connection.setAutoCommit(false);
      try {
        T result = work.on(connection);
        connection.commit();
        return result;
      } catch (Throwable e) {
        rollBack(connection, e);
        throw e;
      }
    }
  }

  /** The pool's own failures have no SQL state. */
  private Connection connection() throws SQLException {
    try {
      return pool.getConnection();
    } catch (SQLException e) {
      throw new SQLTransientConnectionException("no connection: " + e.getMessage(), UNCONNECTED, e);
    }
  }

  /** Where that is not possible the connection is lost, and {@code cause} says why. */
  private static void rollBack(Connection connection, Throwable cause) {
    try {
      connection.rollback();
    } catch (SQLException e) {
      cause.addSuppressed(e);
    }
  }

  @Override
  public void close() {
    pool.close();
  }
}
