package dev.haq.agent.session;

import dev.haq.agent.search.BudgetLimit;
import dev.haq.model.Resource;
import java.util.List;

/**
 * The targets of a session that has several. Its episodes have aims, in turn: each target, and last
 * the fleet as a whole, whose policies meet the budgets of all targets. An aim is the index of a
 * target, or their number for the fleet.
 *
 * @param targets in order; none in a session with one target
 * @param refusal why no policy can meet the budgets of all targets, so that no episode aims at the
 *     fleet; empty where one can
 */
public record Fleet(List<Target> targets, String refusal) {
  /** What the fleet as a whole is called; no target is. */
  public static final String NAME = "fleet";

  /** Of a session with one target. */
  public static final Fleet NONE = new Fleet(List.of(), "");

  /**
   * @param name for people, unlike any other of the session
   * @param limits of its budgets, in the order in which they were asked for
   */
  public record Target(String name, List<Limit> limits) {
    public Target {
      limits = List.copyOf(limits);
    }
  }

  /** A budget of a target. */
  public record Limit(Resource resource, BudgetLimit budget) {}

  public Fleet {
    targets = List.copyOf(targets);
  }

  /** Whom an episode was proposed for. */
  public int aim(int episode) {
    return (episode - 1) % (targets.size() + (refusal.isEmpty() ? 1 : 0));
  }

  /** Of an aim. */
  public String name(int aim) {
    return aim == targets.size() ? NAME : targets.get(aim).name();
  }
}
