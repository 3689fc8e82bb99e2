package dev.haq.agent.store;

import dev.haq.agent.session.Episode;
import dev.haq.agent.session.Score;
import dev.haq.agent.session.SessionRecord;
import dev.haq.agent.session.SessionStore;
import dev.haq.agent.store.Binder.Binding;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** Sessions in a SQL database; see {@link Database} for which. */
public final class SqlSessionStore implements SessionStore {
  private static final String SESSIONS =
      "select "
          + Rows.SESSION_COLUMNS
          + " from session s left join episode e on e.session_id = s.id and e.number ="
          + " s.best_episode ";

  private static final String UNIQUE_VIOLATION = "23505";

  private final Database database;

  private SqlSessionStore(Database database) {
    this.database = database;
  }

  /**
   * Opens a store and brings its schema up to date.
   *
   * @param url see {@link Database#open}
   */
  public static SqlSessionStore open(String url) {
    SqlSessionStore store = new SqlSessionStore(Database.open(url));
    if (store.database.isExclusive()) {
      store.change(LeaseTable::releaseAll); // who holds one has died
    }
    return store;
  }

  @Override
  public SessionRecord create(SessionRecord session) {
    try {
      return database.writing(connection -> insert(connection, session));
    } catch (SQLException e) {
      String requestId = session.definition().requestId();
      if (!requestId.isEmpty() && UNIQUE_VIOLATION.equals(e.getSQLState())) {
        Optional<SessionRecord> first = findByRequestId(requestId);
        if (first.isPresent()) {
          return first.get();
        }
      }
      throw failed(e);
    }
  }

  private static SessionRecord insert(Connection connection, SessionRecord session)
      throws SQLException {
    SessionRecord.Definition definition = session.definition();
    try (PreparedStatement insert =
        connection.prepareStatement(
            "insert into session (id, request_id, spec, layers, budget_limit, reference_cost,"
                + " further_budgets, fleet, episodes_total, wall_seconds_limit, patience,"
                + " top1_goal, created_at, state, pause_requested, error, episodes_done,"
                + " episode_seconds, updated_at, extrapolated) values (?, ?, ?, ?, ?, ?, ?, ?, ?,"
                + " ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")) {
      new Binder(insert)
          .text(definition.id())
          .text(definition.requestId().isEmpty() ? null : definition.requestId())
          .text(definition.spec())
          .text(Rows.layers(definition.layers()))
          .number(definition.mainBudget().limit())
          .number(definition.mainBudget().reference())
          .text(Rows.furtherBudgets(definition))
          .text(Rows.fleet(definition.fleet()))
          .limits(session.limits())
          .time(definition.createTime())
          .text(session.state().name())
          .flag(session.status().pauseRequested())
          .text(session.status().error())
          .number(session.progress().episodesDone())
          .number(session.progress().episodeSeconds())
          .time(session.updateTime())
          .flag(definition.extrapolated());
      insert.executeUpdate();
      return session;
    }
  }

  @Override
  public Optional<SessionRecord> find(String sessionId) {
    if (sessionId.indexOf('\0') >= 0) {
      return Optional.empty(); // PostgreSQL takes no such text
    }
    return query(connection -> select(connection, "where s.id = ?", b -> b.text(sessionId)))
        .stream()
        .findFirst();
  }

  @Override
  public Optional<SessionRecord> findByRequestId(String requestId) {
    return query(connection -> select(connection, "where s.request_id = ?", b -> b.text(requestId)))
        .stream()
        .findFirst();
  }

  @Override
  public Page list(OptionalLong before, int limit) {
    return query(
        connection -> {
          List<Long> positions = positions(connection, before.orElse(Long.MAX_VALUE), limit + 1);
          if (positions.isEmpty()) {
            return new Page(List.of(), OptionalLong.empty());
          }
          boolean more = positions.size() > limit;
          long last = positions.get(more ? limit - 1 : positions.size() - 1);
          return new Page(
              select(
                  connection,
                  "where s.position <= ? and s.position >= ? order by s.position desc",
                  b -> b.number(positions.get(0)).number(last)),
              more ? OptionalLong.of(last) : OptionalLong.empty());
        });
  }

  private static List<Long> positions(Connection connection, long before, int limit)
      throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement(
            "select position from session where position < ? order by position desc limit ?")) {
      new Binder(select).number(before).number(limit);
      List<Long> positions = new ArrayList<>();
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next()) {
          positions.add(rows.getLong(1));
        }
      }
      return positions;
    }
  }

  @Override
  public List<SessionRecord> findAll(Collection<String> sessionIds) {
    if (sessionIds.isEmpty()) {
      return List.of();
    }
    return query(
        connection ->
            select(
                connection,
                "where s.id in (" + Binder.places(sessionIds.size()) + ")",
                b -> b.texts(sessionIds)));
  }

  @Override
  public Optional<SessionRecord> update(SessionRecord before, SessionRecord after) {
    return update(before, after, "", binder -> {}, "");
  }

  @Override
  public Optional<SessionRecord> lease(
      SessionRecord before, SessionRecord after, String owner, Duration term) {
    return update(
        before,
        after,
        ", " + LeaseTable.NEW,
        binder -> LeaseTable.bind(binder, owner, term),
        "and " + LeaseTable.UNLEASED);
  }

  /**
   * @param set further assignments
   * @param binding of their parameters
   * @param condition further
   */
  private Optional<SessionRecord> update(
      SessionRecord before, SessionRecord after, String set, Binding binding, String condition) {
    SessionRecord.Status status = after.status();
    return change(
        connection -> {
          try (PreparedStatement update =
              connection.prepareStatement(
                  "update session set revision = revision + 1, episodes_total = ?,"
                      + " wall_seconds_limit = ?, patience = ?, top1_goal = ?, state = ?,"
                      + " pause_requested = ?, end_reason = ?, error = ?, baseline_images = ?,"
                      + " baseline_top1_correct = ?, baseline_top5_correct = ?,"
                      + " baseline_cross_entropy_sum = ?, tuned = ?, updated_at = ?"
                      + set
                      + " where id = ? and revision = ? "
                      + condition)) {
            Binder binder =
                new Binder(update)
                    .limits(after.limits())
                    .text(status.state().name())
                    .flag(status.pauseRequested())
                    .text(status.endReason().map(Enum::name).orElse(null))
                    .text(status.error())
                    .accuracy(after.progress().baseline())
                    .text(TunedText.format(after.progress().tunings()))
                    .time(after.updateTime());
            binding.bind(binder);
            binder.text(after.id()).number(before.version().revision());
            return update.executeUpdate() == 1
                ? select(connection, "where s.id = ?", b -> b.text(after.id())).stream().findFirst()
                : Optional.empty();
          }
        });
  }

  @Override
  public boolean delete(SessionRecord session) {
    return change(
        connection -> {
          // The revision is taken first: whoever else changes the session waits, or is too late.
          int taken =
              Binder.execute(
                  connection,
                  "update session set revision = revision + 1 where id = ? and revision = ?",
                  b -> b.text(session.id()).number(session.version().revision()));
          if (taken == 1) {
            for (String table :
                List.of(
                    "checkpoint where session_",
                    "fleet_best where session_",
                    "episode where session_",
                    "session where ")) {
              Binder.execute(
                  connection, "delete from " + table + "id = ?", b -> b.text(session.id()));
            }
          }
          return taken == 1;
        });
  }

  @Override
  public List<SessionRecord> unleased(int limit) {
    return oldest(LeaseTable.WAITING, limit);
  }

  @Override
  public List<SessionRecord> interrupted(int limit) {
    return oldest(LeaseTable.INTERRUPTED, limit);
  }

  private List<SessionRecord> oldest(String condition, int limit) {
    return query(
        connection ->
            select(
                connection,
                "where " + condition + " order by s.position limit ?",
                b -> b.number(limit)));
  }

  @Override
  public int queued() {
    return query(
        connection -> {
          try (PreparedStatement count =
                  connection.prepareStatement(
                      "select count(*) from session where state = 'QUEUED'");
              ResultSet rows = count.executeQuery()) {
            rows.next();
            return rows.getInt(1);
          }
        });
  }

  @Override
  public void renew(String owner, Collection<String> sessionIds, Duration term) {
    List<String> ids = List.copyOf(sessionIds); // which another thread may change meanwhile
    if (ids.isEmpty()) {
      return;
    }
    change(connection -> LeaseTable.renew(connection, owner, ids, term));
  }

  @Override
  public void release(String owner) {
    change(connection -> LeaseTable.release(connection, owner));
  }

  @Override
  public void release(String owner, String sessionId) {
    change(connection -> LeaseTable.release(connection, owner, sessionId));
  }

  @Override
  public SessionRecord append(String sessionId, long fence, Episode episode, byte[] snapshot) {
    return change(
        connection -> {
          if (EpisodeTable.count(connection, sessionId, fence, episode)) {
            EpisodeTable.insert(connection, sessionId, episode);
            EpisodeTable.replaceCheckpoint(connection, sessionId, episode.number(), snapshot);
          } else if (!EpisodeTable.isLast(connection, sessionId, episode)) {
            throw new IllegalStateException(
                "session %s does not run here, or its next episode is not %d"
                    .formatted(sessionId, episode.number()));
          }
          return select(connection, "where s.id = ?", b -> b.text(sessionId)).get(0);
        });
  }

  @Override
  public Optional<byte[]> checkpoint(String sessionId) {
    return query(connection -> EpisodeTable.checkpoint(connection, sessionId));
  }

  @Override
  public List<Episode> episodes(String sessionId, int after, int limit) {
    return query(connection -> EpisodeTable.episodes(connection, sessionId, after, limit));
  }

  @Override
  public List<Episode> episodes(String sessionId, Collection<Integer> numbers) {
    return numbers.isEmpty()
        ? List.of()
        : query(connection -> EpisodeTable.episodes(connection, sessionId, numbers));
  }

  @Override
  public List<Score> scores(SessionRecord session, int after, int limit) {
    return query(connection -> EpisodeTable.scores(connection, session, after, limit));
  }

  @Override
  public void close() {
    database.close();
  }

  private static List<SessionRecord> select(Connection connection, String rest, Binding binding)
      throws SQLException {
    try (PreparedStatement select = connection.prepareStatement(SESSIONS + rest)) {
      binding.bind(new Binder(select));
      List<SessionRecord> sessions = new ArrayList<>();
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next()) {
          sessions.add(Rows.session(rows));
        }
      }
      return EpisodeTable.withFleetBests(connection, sessions);
    }
  }

  private <T> T query(Database.Work<T> work) {
    try {
      return database.reading(work);
    } catch (SQLException e) {
      throw failed(e);
    }
  }

  private <T> T change(Database.Work<T> work) {
    try {
      return database.writing(work);
    } catch (SQLException e) {
      throw failed(e);
    }
  }

  private static HaqException failed(SQLException e) {
    String first = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
    return new HaqException(
        Database.isLost(e) ? Reason.UNAVAILABLE : Reason.INTERNAL,
        "the session store failed: " + first,
        e);
  }
}
