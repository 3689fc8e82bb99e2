package dev.haq.agent.store;

import dev.haq.agent.search.Episode;
import dev.haq.agent.search.EpisodeResult;
import dev.haq.agent.search.SessionRecord;
import dev.haq.agent.search.SessionState;
import dev.haq.agent.search.SessionStore;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Sessions in a SQL database; see {@link Database} for which. */
public final class SqlSessionStore implements SessionStore {
  private static final String SESSIONS =
      "select "
          + Rows.SESSION_COLUMNS
          + " from session s left join episode e on e.session_id = s.id and e.number = s.best_episode ";

  private static final String UNIQUE_VIOLATION = "23505";
  private static final String CONNECTION_TROUBLE = "08";

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
    return new SqlSessionStore(Database.open(url));
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
                + " episodes_total, created_at, state, pause_requested, error, episodes_done,"
                + " episode_seconds, updated_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")) {
      new Rows.Binder(insert)
          .text(definition.id())
          .text(definition.requestId().isEmpty() ? null : definition.requestId())
          .text(definition.spec())
          .text(Rows.layers(definition.layers()))
          .number(definition.budget().limit())
          .number(definition.budget().reference())
          .number(definition.episodesTotal())
          .time(definition.createTime())
          .text(session.state().name())
          .flag(session.status().pauseRequested())
          .text(session.status().error())
          .number(session.progress().episodesDone())
          .number(session.progress().episodeSeconds())
          .time(session.updateTime());
      insert.executeUpdate();
      return session;
    }
  }

  @Override
  public Optional<SessionRecord> find(String sessionId) {
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
  public List<SessionRecord> list(String beforeId, int limit) {
    String newest = "order by s.position desc limit ?";
    return query(
        connection ->
            beforeId.isEmpty()
                ? select(connection, newest, b -> b.number(limit))
                : select(
                    connection,
                    "where s.position < (select p.position from session p where p.id = ?) "
                        + newest,
                    b -> b.text(beforeId).number(limit)));
  }

  @Override
  public List<SessionRecord> unfinished() {
    return query(
        connection ->
            select(
                connection,
                "where s.state in ('QUEUED', 'PREPARING', 'RUNNING', 'STOPPING') order by s.position",
                b -> {}));
  }

  @Override
  public boolean update(SessionRecord changed, SessionState expected) {
    SessionRecord.Status status = changed.status();
    return change(
        connection -> {
          try (PreparedStatement update =
              connection.prepareStatement(
                  "update session set state = ?, pause_requested = ?, end_reason = ?, error = ?,"
                      + " baseline_images = ?, baseline_top1_correct = ?, baseline_top5_correct = ?,"
                      + " baseline_cross_entropy_sum = ?, updated_at = ? where id = ? and state = ?")) {
            new Rows.Binder(update)
                .text(status.state().name())
                .flag(status.pauseRequested())
                .text(status.endReason().map(Enum::name).orElse(null))
                .text(status.error())
                .accuracy(changed.progress().baseline())
                .time(changed.updateTime())
                .text(changed.id())
                .text(expected.name());
            return update.executeUpdate() == 1;
          }
        });
  }

  @Override
  public SessionRecord append(String sessionId, Episode episode, byte[] snapshot) {
    return change(
        connection -> {
          countEpisode(connection, sessionId, episode);
          insertEpisode(connection, sessionId, episode);
          replaceCheckpoint(connection, sessionId, episode.number(), snapshot);
          return select(connection, "where s.id = ?", b -> b.text(sessionId)).get(0);
        });
  }

  private static void countEpisode(Connection connection, String sessionId, Episode episode)
      throws SQLException {
    String best = episode.improved() ? ", best_episode = " + episode.number() : "";
    try (PreparedStatement update =
        connection.prepareStatement(
            "update session set episodes_done = ?, episode_seconds = episode_seconds + ?, updated_at = ?"
                + best
                + " where id = ? and episodes_done = ? and state in ('RUNNING', 'STOPPING')")) {
      new Rows.Binder(update)
          .number(episode.number())
          .number(episode.result().timings().total())
          .time(episode.createTime())
          .text(sessionId)
          .number(episode.number() - 1);
      if (update.executeUpdate() != 1) {
        throw new IllegalStateException(
            "session %s does not run, or its next episode is not %d"
                .formatted(sessionId, episode.number()));
      }
    }
  }

  private static void insertEpisode(Connection connection, String sessionId, Episode episode)
      throws SQLException {
    EpisodeResult result = episode.result();
    try (PreparedStatement insert =
        connection.prepareStatement(
            "insert into episode (session_id, number, policy, reward, images, top1_correct, top5_correct,"
                + " cross_entropy_sum, kl_divergence_sum, cycles, latency_seconds, energy_joules, model_size_bytes,"
                + " cost_ratio, improved, best_reward, warmup, seconds, agent_seconds,"
                + " simulator_seconds, quantizer_seconds, created_at)"
                + " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")) {
      new Rows.Binder(insert)
          .text(sessionId)
          .number(episode.number())
          .text(PolicyText.format(result.policy()))
          .number(result.reward())
          .accuracy(Optional.of(result.accuracy()))
          .number(result.accuracy().klDivergenceSum())
          .number(result.cost().cycles())
          .number(result.cost().latencySeconds())
          .number(result.cost().energyJoules())
          .number(result.cost().modelSizeBytes())
          .number(result.costRatio())
          .flag(episode.improved())
          .number(episode.bestReward())
          .flag(result.warmup())
          .number(result.timings().total())
          .number(result.timings().agent())
          .number(result.timings().simulator())
          .number(result.timings().quantizer())
          .time(episode.createTime());
      insert.executeUpdate();
    }
  }

  private static void replaceCheckpoint(
      Connection connection, String sessionId, int episode, byte[] snapshot) throws SQLException {
    for (String statement :
        List.of(
            "update checkpoint set episode = ?, snapshot = ? where session_id = ?",
            "insert into checkpoint (episode, snapshot, session_id) values (?, ?, ?)")) {
      try (PreparedStatement write = connection.prepareStatement(statement)) {
        new Rows.Binder(write).number(episode).bytes(snapshot).text(sessionId);
        if (write.executeUpdate() == 1) {
          return;
        }
      }
    }
  }

  @Override
  public Optional<byte[]> checkpoint(String sessionId) {
    return query(
        connection -> {
          try (PreparedStatement select =
              connection.prepareStatement("select snapshot from checkpoint where session_id = ?")) {
            new Rows.Binder(select).text(sessionId);
            try (ResultSet rows = select.executeQuery()) {
              return rows.next() ? Optional.of(rows.getBytes(1)) : Optional.empty();
            }
          }
        });
  }

  @Override
  public List<Episode> episodes(String sessionId, int after, int limit) {
    return query(
        connection -> {
          try (PreparedStatement select =
              connection.prepareStatement(
                  "select "
                      + Rows.EPISODE_COLUMNS
                      + " from episode e where e.session_id = ? and e.number > ? order by e.number limit ?")) {
            new Rows.Binder(select).text(sessionId).number(after).number(limit);
            List<Episode> episodes = new ArrayList<>();
            try (ResultSet rows = select.executeQuery()) {
              while (rows.next()) {
                episodes.add(Rows.episode(rows));
              }
            }
            return episodes;
          }
        });
  }

  @Override
  public void close() {
    database.close();
  }

  /** Gives a statement its parameters. */
  private interface Binding {
    void bind(Rows.Binder binder) throws SQLException;
  }

  private static List<SessionRecord> select(Connection connection, String rest, Binding binding)
      throws SQLException {
    try (PreparedStatement select = connection.prepareStatement(SESSIONS + rest)) {
      binding.bind(new Rows.Binder(select));
      List<SessionRecord> sessions = new ArrayList<>();
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next()) {
          sessions.add(Rows.session(rows));
        }
      }
      return sessions;
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
    boolean connection = e.getSQLState() != null && e.getSQLState().startsWith(CONNECTION_TROUBLE);
    String first = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
    return new HaqException(
        connection ? Reason.UNAVAILABLE : Reason.INTERNAL, "the session store failed: " + first, e);
  }
}
