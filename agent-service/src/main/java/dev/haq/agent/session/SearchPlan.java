package dev.haq.agent.session;

import dev.haq.agent.agents.Agents;
import dev.haq.agent.search.AccuracyEvaluator;
import dev.haq.agent.search.BudgetLimit;
import dev.haq.agent.search.HardwareCosts;
import dev.haq.agent.search.Proposer;
import dev.haq.agent.search.ResourceBudget;
import dev.haq.agent.search.Search;
import dev.haq.agent.search.SearchSpace;
import dev.haq.agent.search.SearchTarget;
import dev.haq.agent.search.SensitivityMeter;
import dev.haq.agent.search.SharedAccuracies;
import dev.haq.agent.search.SharedSensitivities;
import dev.haq.model.HaqException;
import dev.haq.model.Network;
import dev.haq.model.Reason;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * What a session searches on which targets, once their cost tables are known. Of several targets
 * the first has the session's seed, so that its agent begins as it would alone.
 */
final class SearchPlan {
  /** Between the seeds of agents: 2^64 over the golden ratio, odd. */
  private static final long SEED_STEP = 0x9E3779B97F4A7C15L;

  /** Relative: machines may round differently. */
  private static final double SAME = 1e-9;

  private final SessionSpec spec;
  private final List<SearchTarget> targets = new ArrayList<>();
  private final List<SearchSpace> aims; // of each target, then of the fleet where it has one
  private final Fleet fleet;

  private SearchPlan(
      Optional<SessionRecord.Definition> created,
      SessionSpec spec,
      Network network,
      Function<TargetHandle, HardwareCosts> costs) {
    this.spec = spec;
    List<SessionSpec.Target> asked = spec.targets();
    boolean several = asked.size() > 1;
    List<HardwareCosts> hardware = new ArrayList<>();
    List<List<ResourceBudget>> budgets = new ArrayList<>();
    for (SessionSpec.Target target : asked) {
      HardwareCosts own = costs.apply(target.handle());
      String name = several ? target.handle().name() : "";
      hardware.add(own);
      budgets.add(named(name, () -> budgets(target, name, network, own)));
    }
    created.ifPresent(definition -> checkUnmoved(definition, budgets));
    Spaces spaces = new Spaces(network, budgets);
    // Whether episodes aim at the fleet is settled once: that makes one agent more.
    String refusal =
        several ? created.map(d -> d.fleet().refusal()).orElseGet(spaces::refusal) : "";
    aims = spaces.of(several && refusal.isEmpty());
    for (int i = 0; i < asked.size(); i++) {
      targets.add(new SearchTarget(hardware.get(i), aims.get(i)));
    }
    fleet = several ? new Fleet(described(asked, budgets), refusal) : Fleet.NONE;
  }

  /**
   * Of a new session. Asks for the cost tables and for a simulation a budget.
   *
   * @throws HaqException when the session cannot run so; of several targets its message names the
   *     one, and its details hold it as {@code target}
   */
  static SearchPlan of(
      SessionSpec spec, Network network, Function<TargetHandle, HardwareCosts> costs) {
    return new SearchPlan(Optional.empty(), spec, network, costs);
  }

  /**
   * The same of a session that was created before.
   *
   * @throws HaqException ILLEGAL_STATE when a budget, as the session was created with it, is not
   *     what it would be now; else as of {@link #of}
   */
  static SearchPlan again(
      SessionRecord.Definition created,
      SessionSpec spec,
      Network network,
      Function<TargetHandle, HardwareCosts> costs) {
    return new SearchPlan(Optional.of(created), spec, network, costs);
  }

  private static void checkUnmoved(
      SessionRecord.Definition created, List<List<ResourceBudget>> budgets) {
    List<Fleet.Target> several = created.fleet().targets();
    for (int i = 0; i < budgets.size(); i++) {
      List<BudgetLimit> before =
          several.isEmpty()
              ? created.budgets()
              : several.get(i).limits().stream().map(Fleet.Limit::budget).toList();
      for (int j = 0; j < before.size(); j++) {
        ResourceBudget now = budgets.get(i).get(j);
        checkUnmoved("limit", before.get(j).limit(), now.budget().limit(), now);
        checkUnmoved("reference cost", before.get(j).reference(), now.budget().reference(), now);
      }
    }
  }

  private static void checkUnmoved(String what, double before, double now, ResourceBudget budget) {
    if (Math.abs(now - before) > SAME * before) {
      throw new HaqException(
          Reason.ILLEGAL_STATE,
          "the %s of the %s budget%s has moved from %s to %s %s since the session was created: bring back the simulator and target that it was created with, or create a new session"
              .formatted(
                  what,
                  budget.resource(),
                  budget.target().isEmpty() ? "" : " on " + budget.target(),
                  before,
                  now,
                  budget.resource().unit()));
    }
  }

  private static List<ResourceBudget> budgets(
      SessionSpec.Target target, String name, Network network, HardwareCosts costs) {
    return target.budgets().stream()
        .map(
            budget ->
                new ResourceBudget(
                    costs.table(budget.resource()), BudgetLimit.of(budget, network, costs), name))
        .toList();
  }

  /** The search spaces of one network within the budgets of its targets. */
  private final class Spaces {
    private final Network network;
    private final List<List<ResourceBudget>> budgets;

    Spaces(Network network, List<List<ResourceBudget>> budgets) {
      this.network = network;
      this.budgets = budgets;
    }

    /** Of each aim. */
    List<SearchSpace> of(boolean withFleet) {
      int count = budgets.size() + (withFleet ? 1 : 0);
      List<SearchSpace> spaces = new ArrayList<>();
      for (List<ResourceBudget> own : budgets) {
        spaces.add(named(own.get(0).target(), () -> space(own, spaces.size(), count)));
      }
      if (withFleet) {
        spaces.add(space(budgets.stream().flatMap(List::stream).toList(), count - 1, count));
      }
      return spaces;
    }

    private SearchSpace space(List<ResourceBudget> own, int aim, int count) {
      int episodes = Math.max(1, (spec.limits().episodes() - aim - 1) / count + 1);
      return new SearchSpace(
          spec.searchSettings(network, own, spec.seed() + aim * SEED_STEP, episodes));
    }

    /** Why no policy meets the budgets of all targets; empty where one does. */
    String refusal() {
      List<SearchSpace> each = of(false);
      SearchSpace all;
      try {
        all = space(budgets.stream().flatMap(List::stream).toList(), 0, 1);
      } catch (HaqException e) {
        return e.getMessage();
      }
      for (int i = 0; i < each.size(); i++) {
        if (!each.get(i).canReach(all.decisions().uniform(0))) {
          return "%s keeps other widths at the first and the last layer than the rest"
              .formatted(budgets.get(i).get(0).target());
        }
      }
      return "";
    }
  }

  private static <T> T named(String target, Supplier<T> part) {
    try {
      return part.get();
    } catch (HaqException e) {
      if (target.isEmpty() || e.reason() == Reason.BUDGET_INFEASIBLE) {
        throw e; // it names the target itself
      }
      Map<String, String> details = new HashMap<>(e.details());
      details.put("target", target);
      String message = e.getMessage();
      throw new HaqException(
          e.reason(),
          message.contains(target) ? message : "target %s: %s".formatted(target, message),
          details,
          e);
    }
  }

  private static List<Fleet.Target> described(
      List<SessionSpec.Target> asked, List<List<ResourceBudget>> budgets) {
    List<Fleet.Target> described = new ArrayList<>();
    for (int i = 0; i < asked.size(); i++) {
      List<Fleet.Limit> limits =
          budgets.get(i).stream().map(b -> new Fleet.Limit(b.resource(), b.budget())).toList();
      described.add(new Fleet.Target(asked.get(i).handle().name(), limits));
    }
    return described;
  }

  /** Of the first target's budgets, in the spec's order. */
  List<BudgetLimit> budgets() {
    return targets.get(0).space().settings().budgets().stream()
        .map(ResourceBudget::budget)
        .toList();
  }

  Fleet fleet() {
    return fleet;
  }

  /** Whether any cost rests on parts of a cost model that no published figure checks. */
  boolean isExtrapolated() {
    return targets.stream().anyMatch(target -> target.space().settings().isExtrapolated());
  }

  /** Refuses agents whose checkpoint would be too large. */
  void checkSize() {
    List<Integer> decisions = aims.stream().map(aim -> aim.decisions().size()).toList();
    Agents.checkSize(spec.agent(), decisions, spec.ddpg());
  }

  /**
   * The search, before its first episode; measures sensitivities where the agents build on them.
   */
  Search search(AccuracyEvaluator evaluator, SensitivityMeter meter) {
    boolean one = aims.size() == 1;
    SensitivityMeter shared = one ? meter : new SharedSensitivities(meter, aims);
    List<Proposer> proposers = new ArrayList<>();
    for (SearchSpace space : aims) {
      proposers.add(new Proposer(space, Agents.create(spec.agent(), space, shared, spec.ddpg())));
    }
    return new Search(targets, proposers, one ? evaluator : new SharedAccuracies(evaluator));
  }
}
