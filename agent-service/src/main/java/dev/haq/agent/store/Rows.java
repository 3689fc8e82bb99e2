package dev.haq.agent.store;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.haq.agent.search.BudgetLimit;
import dev.haq.agent.search.EpisodeResult;
import dev.haq.agent.search.TargetCost;
import dev.haq.agent.search.Timings;
import dev.haq.agent.session.EndReason;
import dev.haq.agent.session.Episode;
import dev.haq.agent.session.Fleet;
import dev.haq.agent.session.FleetBests;
import dev.haq.agent.session.Score;
import dev.haq.agent.session.SessionLimits;
import dev.haq.agent.session.SessionRecord;
import dev.haq.agent.session.SessionState;
import dev.haq.model.Accuracy;
import dev.haq.model.Cost;
import dev.haq.model.Resource;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.stream.Collectors;

/** Rows to values and back. Columns are read by the names that the two column lists give them. */
final class Rows {
  /** Of table {@code episode e}; all null where a session has no best episode. */
  static final String EPISODE_COLUMNS =
      "e.number as e_number, e.policy as e_policy, e.reward as e_reward, e.images as e_images,"
          + " e.top1_correct as e_top1_correct, e.top5_correct as e_top5_correct,"
          + " e.cross_entropy_sum as e_cross_entropy_sum, e.kl_divergence_sum as"
          + " e_kl_divergence_sum, e.cycles as e_cycles, e.latency_seconds as e_latency_seconds,"
          + " e.energy_joules as e_energy_joules, e.model_size_bytes as e_model_size_bytes,"
          + " e.cost_ratio as e_cost_ratio, e.eligible as e_eligible, e.further_costs as"
          + " e_further_costs, e.improved as e_improved, e.improved_for as e_improved_for,"
          + " e.best_reward as e_best_reward, e.warmup as e_warmup, e.seconds as e_seconds,"
          + " e.agent_seconds as e_agent_seconds, e.simulator_seconds as e_simulator_seconds,"
          + " e.quantizer_seconds as e_quantizer_seconds, e.created_at as e_created_at,"
          + " coalesce(e.elapsed_seconds, e.seconds) as e_elapsed_seconds";

  /** Of table {@code episode e}: what {@link #score} reads, all of it in PostgreSQL's index. */
  static final String SCORE_COLUMNS =
      "e.number as e_number, e.reward as e_reward, e.images as e_images, e.top1_correct as"
          + " e_top1_correct, e.latency_seconds as e_latency_seconds, e.energy_joules as"
          + " e_energy_joules, e.model_size_bytes as e_model_size_bytes";

  /** What {@link #fleetScore} reads besides. */
  static final String FLEET_SCORE_COLUMNS = SCORE_COLUMNS + ", e.further_costs as e_further_costs";

  /** Of table {@code session s} with its best episode {@code e}. */
  static final String SESSION_COLUMNS =
      "s.id, s.request_id, s.spec, s.layers, s.budget_limit, s.reference_cost,"
          + " s.further_budgets, s.fleet,"
          + " s.episodes_total, s.created_at, s.state, s.pause_requested, s.end_reason, s.error,"
          + " s.episodes_done, s.episode_seconds, s.baseline_images, s.baseline_top1_correct,"
          + " s.baseline_top5_correct, s.baseline_cross_entropy_sum, s.revision, s.fence,"
          + " s.updated_at, s.wall_seconds_limit, s.patience, s.top1_goal, s.extrapolated, s.tuned,"
          + " "
          + EPISODE_COLUMNS;

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final TypeReference<List<String>> NAMES = new TypeReference<>() {};
  private static final TypeReference<List<BudgetLimit>> BUDGETS = new TypeReference<>() {};
  private static final TypeReference<Fleet> FLEET = new TypeReference<>() {};

  private Rows() {}

  static SessionRecord session(ResultSet row) throws SQLException {
    String requestId = row.getString("request_id");
    String endReason = row.getString("end_reason");
    Fleet fleet = fleet(row.getString("fleet"));
    FleetBests bests = FleetBests.of(fleet);
    return new SessionRecord(
        new SessionRecord.Definition(
            row.getString("id"),
            requestId == null ? "" : requestId,
            row.getString("spec"),
            parse("layers", row.getString("layers"), NAMES),
            budgets(row, fleet),
            row.getBoolean("extrapolated"),
            fleet,
            instant(row, "created_at")),
        new SessionLimits(
            row.getInt("episodes_total"),
            number(row, "wall_seconds_limit"),
            row.getObject("patience") == null
                ? OptionalInt.empty()
                : OptionalInt.of(row.getInt("patience")),
            number(row, "top1_goal")),
        new SessionRecord.Status(
            SessionState.valueOf(row.getString("state")),
            row.getBoolean("pause_requested"),
            Optional.ofNullable(endReason).map(EndReason::valueOf),
            row.getString("error")),
        new SessionRecord.Progress(
            row.getInt("episodes_done"),
            row.getDouble("episode_seconds"),
            baseline(row),
            row.getObject("e_number") == null ? Optional.empty() : Optional.of(episode(row)),
            bests,
            TunedText.parse(bests.aims(), row.getString("tuned"))),
        new SessionRecord.Version(row.getLong("revision"), row.getLong("fence")),
        instant(row, "updated_at"));
  }

  private static List<BudgetLimit> budgets(ResultSet row, Fleet fleet) throws SQLException {
    if (!fleet.targets().isEmpty()) {
      return fleet.targets().get(0).limits().stream().map(Fleet.Limit::budget).toList();
    }
    List<BudgetLimit> budgets = new ArrayList<>();
    budgets.add(new BudgetLimit(row.getDouble("budget_limit"), row.getDouble("reference_cost")));
    String further = row.getString("further_budgets");
    if (further != null) {
      budgets.addAll(parse("further_budgets", further, BUDGETS));
    }
    return budgets;
  }

  private static Optional<Accuracy> baseline(ResultSet row) throws SQLException {
    if (row.getObject("baseline_images") == null) {
      return Optional.empty();
    }
    return Optional.of(
        new Accuracy(
            row.getInt("baseline_images"),
            row.getInt("baseline_top1_correct"),
            row.getInt("baseline_top5_correct"),
            row.getDouble("baseline_cross_entropy_sum")));
  }

  private static OptionalDouble number(ResultSet row, String column) throws SQLException {
    double value = row.getDouble(column);
    return row.wasNull() ? OptionalDouble.empty() : OptionalDouble.of(value);
  }

  static Episode episode(ResultSet row) throws SQLException {
    EpisodeResult result =
        new EpisodeResult(
            row.getInt("e_number"),
            PolicyText.parse(row.getString("e_policy")),
            row.getDouble("e_reward"),
            new Accuracy(
                row.getInt("e_images"),
                row.getInt("e_top1_correct"),
                row.getInt("e_top5_correct"),
                row.getDouble("e_cross_entropy_sum"),
                number(row, "e_kl_divergence_sum")),
            costs(row),
            row.getBoolean("e_warmup"),
            new Timings(
                row.getDouble("e_seconds"),
                row.getDouble("e_agent_seconds"),
                row.getDouble("e_simulator_seconds"),
                row.getDouble("e_quantizer_seconds")));
    return new Episode(
        result,
        row.getBoolean("e_improved"),
        row.getDouble("e_best_reward"),
        numbers(row.getString("e_improved_for")),
        row.getDouble("e_elapsed_seconds"),
        instant(row, "e_created_at"));
  }

  /** Of a session with one target. */
  static Score score(ResultSet row) throws SQLException {
    return score(row, List.of(amounts(row)));
  }

  /** Of a session with several targets. */
  static Score fleetScore(ResultSet row) throws SQLException {
    List<Map<Resource, Double>> costs = new ArrayList<>(List.of(amounts(row)));
    CostText.parse(row.getString("e_further_costs"))
        .forEach(target -> costs.add(target.map(Rows::amounts).orElse(Map.of())));
    return score(row, costs);
  }

  private static Score score(ResultSet row, List<Map<Resource, Double>> costs) throws SQLException {
    int correct = row.getInt("e_top1_correct");
    Accuracy accuracy = new Accuracy(row.getInt("e_images"), correct, correct, 0);
    return new Score(row.getInt("e_number"), row.getDouble("e_reward"), accuracy.top1(), costs);
  }

  /** On the session's first target. */
  private static Map<Resource, Double> amounts(ResultSet row) throws SQLException {
    OptionalDouble size = number(row, "e_model_size_bytes");
    return size.isEmpty()
        ? Map.of()
        : Score.costs(
            row.getDouble("e_latency_seconds"), number(row, "e_energy_joules"), size.getAsDouble());
  }

  private static Map<Resource, Double> amounts(TargetCost target) {
    Cost cost = target.cost();
    return Score.costs(cost.latencySeconds(), cost.energyJoules(), cost.modelSizeBytes());
  }

  /** On every target of the session. */
  private static List<Optional<TargetCost>> costs(ResultSet row) throws SQLException {
    List<Optional<TargetCost>> costs = new ArrayList<>();
    costs.add(number(row, "e_cost_ratio").isEmpty() ? Optional.empty() : Optional.of(cost(row)));
    String further = row.getString("e_further_costs");
    if (further != null) {
      costs.addAll(CostText.parse(further));
    }
    return costs;
  }

  /** On the session's first target. */
  private static TargetCost cost(ResultSet row) throws SQLException {
    return new TargetCost(
        new Cost(
            row.getDouble("e_cycles"),
            row.getDouble("e_latency_seconds"),
            number(row, "e_energy_joules"),
            row.getDouble("e_model_size_bytes")),
        row.getDouble("e_cost_ratio"),
        row.getBoolean("e_eligible"));
  }

  static String layers(List<String> names) {
    return json(names);
  }

  /** Null where there is one budget, or several targets, whose budgets {@link #fleet} has. */
  static String furtherBudgets(SessionRecord.Definition definition) {
    List<BudgetLimit> budgets = definition.budgets();
    boolean none = budgets.size() == 1 || !definition.fleet().targets().isEmpty();
    return none ? null : json(budgets.subList(1, budgets.size()));
  }

  /** Null where there is one target. */
  static String fleet(Fleet fleet) {
    return fleet.targets().isEmpty() ? null : json(fleet);
  }

  private static String json(Object value) {
    try {
      return JSON.writeValueAsString(value);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(value + " has no JSON form", e);
    }
  }

  private static Fleet fleet(String json) throws SQLException {
    return json == null ? Fleet.NONE : parse("fleet", json, FLEET);
  }

  private static <T> T parse(String column, String json, TypeReference<T> type)
      throws SQLException {
    try {
      return JSON.readValue(json, type);
    } catch (JsonProcessingException e) {
      throw new SQLException(
          "column session.%s cannot be read: %s".formatted(column, e.getMessage()), e);
    }
  }

  /** Separated by blanks. */
  static String numbers(List<Integer> numbers) {
    return numbers.stream().map(Object::toString).collect(Collectors.joining(" "));
  }

  private static List<Integer> numbers(String text) {
    return text == null || text.isEmpty()
        ? List.of()
        : Arrays.stream(text.split(" ", -1)).map(Integer::valueOf).toList();
  }

  private static Instant instant(ResultSet row, String column) throws SQLException {
    return row.getObject(column, OffsetDateTime.class).toInstant();
  }
}
