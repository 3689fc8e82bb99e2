package dev.haq.agent.session;

import dev.haq.agent.search.BudgetLimit;
import dev.haq.agent.search.Episode;
import dev.haq.agent.search.SessionRecord;
import dev.haq.agent.search.SessionStore;
import dev.haq.model.CostTable;
import dev.haq.model.HaqException;
import dev.haq.model.Network;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import java.util.ArrayList;
import java.util.List;
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

  private SessionRecord session(String id) {
    return store
        .find(id)
        .orElseThrow(
            () -> new HaqException(Reason.UNKNOWN_SESSION, "there is no session '" + id + "'"));
  }

  /** A session, with the episodes that no other of it beats in both reward and cost. */
  public Front front(String id) {
    SessionRecord session = session(id);
    return new Front(session, fronts.of(id));
  }

  /** A session and its fronts. */
  public record Front(SessionRecord session, SessionFronts.Snapshot snapshot) {}

  /** What every target makes of a policy. */
  private record Column(CostTable table, BudgetLimit budget, Policy own) {
    Transfer.Cell cell(Policy policy) {
      double cost = table.cost(policy);
      return new Transfer.Cell(
          cost, budget.ratio(cost), cost / table.cost(own) - 1, cost <= budget.limit());
    }
  }

  /**
   * The best policy of every session on the target of every session.
   *
   * @param ids 2 to 32 sessions of one model that have a best policy
   * @param onAbort is given what ends the call under way, in case the caller leaves
   */
  public Transfer transfer(List<String> ids, Consumer<Runnable> onAbort) {
    if (ids.size() < 2 || ids.size() > MOST_SESSIONS) {
      throw HaqException.invalid(
          "session_ids names %d sessions: give 2 to %d", ids.size(), MOST_SESSIONS);
    }
    List<Episode> bests = new ArrayList<>();
    List<Column> columns = new ArrayList<>();
    String model = null;
    for (String id : ids) {
      SessionRecord session = session(id);
      Episode best = best(session);
      SessionSpec spec = codec.decode(session.definition().spec());
      if (model != null && !model.equals(spec.model())) {
        throw HaqException.invalid(
            "session_ids: session %s is of model %s, the first of %s: policies transfer between targets, not models",
            id, spec.model(), model);
      }
      model = spec.model();
      bests.add(best);
      columns.add(column(session, spec, best, onAbort));
    }
    List<Transfer.Row> rows = new ArrayList<>();
    int fleet = 0;
    for (int i = 0; i < ids.size(); i++) {
      Policy policy = bests.get(i).result().policy();
      rows.add(
          new Transfer.Row(
              ids.get(i), bests.get(i), columns.stream().map(c -> c.cell(policy)).toList()));
      fleet = rows.get(i).maxRegret() < rows.get(fleet).maxRegret() ? i : fleet;
    }
    return new Transfer(rows, fleet);
  }

  private static Episode best(SessionRecord session) {
    return session
        .progress()
        .best()
        .orElseThrow(
            () ->
                new HaqException(
                    Reason.UNKNOWN_EPISODE,
                    "session " + session.id() + " has no policy yet: wait for its first episode"));
  }

  private Column column(
      SessionRecord session, SessionSpec spec, Episode best, Consumer<Runnable> onAbort) {
    try (Backend backend = backends.open(spec, false)) {
      onAbort.accept(backend::abort);
      Network network = backend.network();
      CostTable table = backend.costs(network).table(spec.mainBudget().resource());
      return new Column(table, session.definition().budget(), best.result().policy());
    }
  }
}
