package dev.haq.agent.comparison;

import dev.haq.agent.search.BudgetLimit;
import dev.haq.agent.search.HardwareCosts;
import dev.haq.agent.search.ResourceBudget;
import dev.haq.agent.session.Backend;
import dev.haq.agent.session.Episode;
import dev.haq.agent.session.Fleet;
import dev.haq.agent.session.SessionRecord;
import dev.haq.agent.session.SessionSpec;
import dev.haq.agent.session.SessionStore;
import dev.haq.agent.session.SpecCodec;
import dev.haq.model.Budget;
import dev.haq.model.HaqException;
import dev.haq.model.Network;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * What sessions found, beside one another: fronts of one session, transfer among several. Methods
 * may be called by any thread and block; UNKNOWN_SESSION for an id that does not exist.
 */
public final class SessionComparisons {
  private static final int MOST_SESSIONS = 32;

  private final SessionStore store;
  private final SpecCodec codec;
  private final Backend.Factory backends;
  private final SessionFronts fronts;

  public SessionComparisons(SessionStore store, SpecCodec codec, Backend.Factory backends) {
    this.store = store;
    this.codec = codec;
    this.backends = backends;
    fronts = new SessionFronts(store);
  }

  /** A session, with the episodes that no other of it beats in both reward or accuracy and cost. */
  public Front front(String id) {
    SessionRecord session = store.require(id);
    return new Front(session, fronts.of(session));
  }

  /** A session and its fronts. */
  public record Front(SessionRecord session, SessionFronts.Snapshot snapshot) {}

  /**
   * What one target makes of a policy.
   *
   * @param budgets all of the target's, the main one first
   * @param own the policy that is best there
   */
  private record Column(List<ResourceBudget> budgets, Policy own) {
    Optional<Transfer.Cell> cell(Policy policy) {
      if (!budgets.stream().allMatch(budget -> budget.prices(policy))) {
        return Optional.empty();
      }
      ResourceBudget main = budgets.get(0);
      double cost = main.cost(policy);
      return Optional.of(
          new Transfer.Cell(
              cost,
              main.budget().ratio(cost),
              cost / main.cost(own) - 1,
              budgets.stream().allMatch(budget -> budget.isMetBy(policy))));
    }
  }

  /** A target of a session, with its best policy. */
  private record Entry(String sessionId, String target, Episode best, Column column) {}

  /** A session's best policy for all its targets. */
  private record FleetBest(String sessionId, Episode best) {}

  /**
   * The best policy of every target and every fleet of every session on each of these targets.
   *
   * @param ids 1 to 32 different sessions of one model, of at least two targets in all, each of
   *     which has a best policy
   * @param onAbort is given what ends the call under way, in case the caller leaves
   */
  public Transfer transfer(List<String> ids, Consumer<Runnable> onAbort) {
    if (ids.isEmpty() || ids.size() > MOST_SESSIONS) {
      throw HaqException.invalid(
          "session_ids names %d sessions: give 1 to %d", ids.size(), MOST_SESSIONS);
    }
    if (Set.copyOf(ids).size() < ids.size()) {
      throw HaqException.invalid("session_ids names a session twice: give each once");
    }
    List<Entry> entries = new ArrayList<>();
    List<FleetBest> fleets = new ArrayList<>();
    String model = null;
    for (String id : ids) {
      SessionRecord session = store.require(id);
      SessionSpec spec = codec.decode(session.definition().spec());
      if (model != null && !model.equals(spec.model())) {
        throw HaqException.invalid(
            "session_ids: session %s is of model %s, the first of %s: policies transfer between targets, not models",
            id, spec.model(), model);
      }
      model = spec.model();
      entries.addAll(entries(session, spec, onAbort));
      session.progress().fleet().fleet().ifPresent(best -> fleets.add(new FleetBest(id, best)));
    }
    if (entries.size() < 2) {
      throw HaqException.invalid(
          "session_ids: session %s has one target: give further sessions to compare it with",
          ids.get(0));
    }
    List<Transfer.Row> rows = new ArrayList<>();
    List<Column> columns = entries.stream().map(Entry::column).toList();
    for (Entry entry : entries) {
      rows.add(row(entry.sessionId(), entry.target(), entry.best(), columns));
    }
    for (FleetBest fleet : fleets) {
      rows.add(row(fleet.sessionId(), Fleet.NAME, fleet.best(), columns));
    }
    return new Transfer(rows);
  }

  private static Transfer.Row row(
      String sessionId, String target, Episode best, List<Column> columns) {
    Policy policy = best.result().policy();
    return new Transfer.Row(
        sessionId, target, best, columns.stream().map(column -> column.cell(policy)).toList());
  }

  private List<Entry> entries(SessionRecord session, SessionSpec spec, Consumer<Runnable> onAbort) {
    List<Entry> entries = new ArrayList<>();
    List<Optional<Episode>> bests = session.progress().bests();
    try (Backend backend = backends.open(spec, false)) {
      onAbort.accept(backend::abort);
      Network network = backend.network();
      for (SessionSpec.Target target : spec.targets()) {
        int i = entries.size();
        Episode best = bests.get(i).orElseThrow(() -> noPolicy(session, target));
        HardwareCosts costs = backend.costs(network, target.handle());
        List<ResourceBudget> budgets =
            limits(session, i, target.budgets(), network, costs).stream()
                .map(limit -> new ResourceBudget(costs.table(limit.resource()), limit.budget()))
                .toList();
        Column column = new Column(budgets, best.result().policy());
        entries.add(new Entry(session.id(), target.handle().name(), best, column));
      }
    }
    return entries;
  }

  private static HaqException noPolicy(SessionRecord session, SessionSpec.Target target) {
    return new HaqException(
        Reason.UNKNOWN_EPISODE,
        "session %s has no policy for %s yet: wait for its first episodes"
            .formatted(session.id(), target.handle().name()));
  }

  /**
   * A target's limits, as the session was created with them. Those that old sessions did not store
   * are asked for again.
   */
  private static List<Fleet.Limit> limits(
      SessionRecord session, int target, List<Budget> asked, Network network, HardwareCosts costs) {
    List<Fleet.Target> several = session.definition().fleet().targets();
    if (!several.isEmpty()) {
      return several.get(target).limits();
    }
    List<Fleet.Limit> limits = new ArrayList<>();
    List<BudgetLimit> stored = session.definition().budgets();
    for (int i = 0; i < asked.size(); i++) {
      Budget budget = asked.get(i);
      BudgetLimit limit =
          i < stored.size() ? stored.get(i) : BudgetLimit.of(budget, network, costs);
      limits.add(new Fleet.Limit(budget.resource(), limit));
    }
    return limits;
  }
}
