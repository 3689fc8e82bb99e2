package dev.haq.agent.store;

import dev.haq.agent.search.EpisodeResult;
import dev.haq.agent.search.TargetCost;
import dev.haq.agent.session.Episode;
import dev.haq.agent.session.FleetBests;
import dev.haq.agent.session.Score;
import dev.haq.agent.session.SessionRecord;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.ToDoubleFunction;

/** The episode log, the bests in it, and the checkpoint of the agent after it. */
final class EpisodeTable {
  private EpisodeTable() {}

  /**
   * Counts the log's next entry in its session; answers whether it is that, and the session runs
   * under this lease.
   */
  static boolean count(Connection connection, String sessionId, long fence, Episode episode)
      throws SQLException {
    String best = episode.improved() ? ", best_episode = " + episode.number() : "";
    try (PreparedStatement update =
        connection.prepareStatement(
            "update session set episodes_done = ?, episode_seconds = episode_seconds + ?,"
                + " updated_at = ?"
                + best
                + " where id = ? and fence = ? and episodes_done = ?"
                + " and state in ('RUNNING', 'STOPPING')")) {
      new Binder(update)
          .number(episode.number())
          .number(episode.elapsedSeconds())
          .time(episode.createTime())
          .text(sessionId)
          .number(fence)
          .number(episode.number() - 1);
      return update.executeUpdate() == 1;
    }
  }

  /** Whether the log ends with this very episode. */
  static boolean isLast(Connection connection, String sessionId, Episode episode)
      throws SQLException {
    return episodes(connection, sessionId, episode.number() - 1, 2).equals(List.of(episode));
  }

  /** The log's next entry, and the bests that it is. */
  static void insert(Connection connection, String sessionId, Episode episode) throws SQLException {
    EpisodeResult result = episode.result();
    List<Optional<TargetCost>> costs = result.costs();
    Optional<TargetCost> first = costs.get(0);
    boolean several = costs.size() > 1;
    try (PreparedStatement insert =
        connection.prepareStatement(
            "insert into episode (session_id, number, policy, reward, images, top1_correct,"
                + " top5_correct, cross_entropy_sum, kl_divergence_sum, cycles, latency_seconds,"
                + " energy_joules, model_size_bytes, cost_ratio, eligible, further_costs, improved,"
                + " improved_for, best_reward, warmup, seconds, agent_seconds, simulator_seconds,"
                + " quantizer_seconds, elapsed_seconds, created_at) values (?, ?, ?, ?, ?, ?, ?,"
                + " ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")) {
      new Binder(insert)
          .text(sessionId)
          .number(episode.number())
          .text(PolicyText.format(result.policy()))
          .number(result.reward())
          .accuracy(Optional.of(result.accuracy()))
          .number(result.accuracy().klDivergenceSum())
          .number(part(first, target -> target.cost().cycles()))
          .number(part(first, target -> target.cost().latencySeconds()))
          .number(first.map(t -> t.cost().energyJoules()).orElse(OptionalDouble.empty()))
          .number(part(first, target -> target.cost().modelSizeBytes()))
          .number(part(first, TargetCost::ratio))
          .flag(result.isEligible(0))
          .text(several ? CostText.format(costs.subList(1, costs.size())) : null)
          .flag(episode.improved())
          .text(several ? Rows.numbers(episode.improvedFor()) : null)
          .number(episode.bestReward())
          .flag(result.warmup())
          .number(result.timings().total())
          .number(result.timings().agent())
          .number(result.timings().simulator())
          .number(result.timings().quantizer())
          .number(episode.elapsedSeconds())
          .time(episode.createTime());
      insert.executeUpdate();
    }
    for (int aim : episode.improvedFor()) {
      replace(
          connection,
          "update fleet_best set episode = ? where session_id = ? and aim = ?",
          "insert into fleet_best (episode, session_id, aim) values (?, ?, ?)",
          binder -> binder.number(episode.number()).text(sessionId).number(aim));
    }
  }

  private static OptionalDouble part(
      Optional<TargetCost> target, ToDoubleFunction<TargetCost> part) {
    return target.stream().mapToDouble(part).findFirst();
  }

  /** Changes the row, or makes it. */
  private static void replace(
      Connection connection, String update, String insert, Binder.Binding binding)
      throws SQLException {
    for (String statement : List.of(update, insert)) {
      try (PreparedStatement write = connection.prepareStatement(statement)) {
        binding.bind(new Binder(write));
        if (write.executeUpdate() == 1) {
          return;
        }
      }
    }
  }

  static void replaceCheckpoint(
      Connection connection, String sessionId, int episode, byte[] snapshot) throws SQLException {
    replace(
        connection,
        "update checkpoint set episode = ?, snapshot = ? where session_id = ?",
        "insert into checkpoint (episode, snapshot, session_id) values (?, ?, ?)",
        binder -> binder.number(episode).bytes(snapshot).text(sessionId));
  }

  /** The agent's snapshot after the last episode. */
  static Optional<byte[]> checkpoint(Connection connection, String sessionId) throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement("select snapshot from checkpoint where session_id = ?")) {
      new Binder(select).text(sessionId);
      try (ResultSet rows = select.executeQuery()) {
        return rows.next() ? Optional.of(rows.getBytes(1)) : Optional.empty();
      }
    }
  }

  /** Oldest first. */
  static List<Episode> episodes(Connection connection, String sessionId, int after, int limit)
      throws SQLException {
    return select(
        connection,
        Rows.EPISODE_COLUMNS,
        "e.number > ? order by e.number limit ?",
        binder -> binder.text(sessionId).number(after).number(limit),
        Rows::episode);
  }

  /** Those of these numbers, oldest first. */
  static List<Episode> episodes(
      Connection connection, String sessionId, Collection<Integer> numbers) throws SQLException {
    return select(
        connection,
        Rows.EPISODE_COLUMNS,
        "e.number in (" + Binder.places(numbers.size()) + ") order by e.number",
        binder -> {
          binder.text(sessionId);
          for (int number : numbers) {
            binder.number(number);
          }
        },
        Rows::episode);
  }

  /** Oldest first. */
  static List<Score> scores(Connection connection, SessionRecord session, int after, int limit)
      throws SQLException {
    boolean several = !session.definition().fleet().targets().isEmpty();
    return select(
        connection,
        several ? Rows.FLEET_SCORE_COLUMNS : Rows.SCORE_COLUMNS,
        "e.number > ? order by e.number limit ?",
        binder -> binder.text(session.id()).number(after).number(limit),
        several ? Rows::fleetScore : Rows::score);
  }

  private interface Reading<T> {
    T of(ResultSet row) throws SQLException;
  }

  /**
   * Of the episodes of a session, which is the first parameter.
   *
   * @param rest of the condition
   */
  private static <T> List<T> select(
      Connection connection,
      String columns,
      String rest,
      Binder.Binding binding,
      Reading<T> reading)
      throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement(
            "select " + columns + " from episode e where e.session_id = ? and " + rest)) {
      binding.bind(new Binder(select));
      List<T> read = new ArrayList<>();
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next()) {
          read.add(reading.of(rows));
        }
      }
      return read;
    }
  }

  /** Sessions with the bests of their further targets and of their fleet, where they have them. */
  static List<SessionRecord> withFleetBests(Connection connection, List<SessionRecord> sessions)
      throws SQLException {
    Map<String, List<Optional<Episode>>> bests = new LinkedHashMap<>(); // by session
    for (SessionRecord session : sessions) {
      if (!session.definition().fleet().targets().isEmpty()) {
        bests.put(session.id(), new ArrayList<>(session.progress().fleet().byAim()));
      }
    }
    if (bests.isEmpty()) {
      return sessions;
    }
    try (PreparedStatement select =
        connection.prepareStatement(
            "select b.session_id, b.aim, "
                + Rows.EPISODE_COLUMNS
                + " from fleet_best b join episode e on e.session_id = b.session_id and e.number ="
                + " b.episode where b.session_id in ("
                + Binder.places(bests.size())
                + ")")) {
      Binder binder = new Binder(select);
      for (String id : bests.keySet()) {
        binder.text(id);
      }
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next()) {
          bests
              .get(rows.getString("session_id"))
              .set(rows.getInt("aim") - 1, Optional.of(Rows.episode(rows)));
        }
      }
    }
    return sessions.stream()
        .map(s -> bests.containsKey(s.id()) ? s.with(new FleetBests(bests.get(s.id()))) : s)
        .toList();
  }
}
