package dev.haq.agent.losses;

import dev.haq.agent.search.DecisionLoss;
import dev.haq.agent.search.ResourceBudget;
import dev.haq.agent.search.SearchSpace;
import dev.haq.model.Policy;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The policy of least loss within all budgets, where losses and costs of layers add up, and how far
 * from the best one it may be.
 *
 * <p>Of one budget, and of several where policies break but one, it is what {@link DynamicProgram}
 * finds. Several make a multiple-choice knapsack problem with several constraints. Each weighting
 * of the budgets relaxes it to one constraint, the weighted mean of the shares (surrogate
 * relaxation: Glover, Surrogate constraints, Operations Research 16, 1968; with the same weights
 * never weaker than Lagrangian relaxation: Greenberg, Pierskalla, Surrogate mathematical
 * programming, Operations Research 18, 1970), which a dynamic program solves. No policy within all
 * budgets loses less than the relaxed one; the highest of these bounds gives the gap. First single
 * budgets are tried, then the weights go from even to where budgets are overdrawn, by steps as in
 * the subgradient method (Fisher, The Lagrangian relaxation method for solving integer programming
 * problems, Management Science 27, 1981). Policies within all budgets are, of each program, the
 * first on its front and what {@link Exchange} makes of the relaxed one; the one of least loss is
 * kept, and traded for better ones as long as the bound leaves room.
 */
public final class BudgetedProgram {
  /** Most dynamic programs with weighted budgets. */
  private static final int STEPS = 8;

  /** Length of the first step of the weights, which add up to 1. */
  private static final double FIRST_STEP = 0.5;

  /** Factor on it from step to step. */
  private static final double SHORTER = 0.7;

  /** Most trades of the best policy found so far. */
  private static final int TRADES = 8;

  private static final int NONE = -1;

  private final SearchSpace space;
  private final DecisionLoss loss;
  private final int cells;
  private final List<ResourceBudget> budgets;
  private final boolean[] binding; // [budget]

  private DynamicProgram tightest; // of the programs so far, the one of the highest bound
  private Policy best;
  private double bestLoss;

  private BudgetedProgram(SearchSpace space, DecisionLoss loss, int cells) {
    this.space = space;
    this.loss = loss;
    this.cells = cells;
    budgets = space.budget().budgets();
    List<ResourceBudget> limiting = space.budget().binding();
    binding = new boolean[budgets.size()];
    for (int b = 0; b < binding.length; b++) {
      binding[b] = limiting.contains(budgets.get(b));
    }
    if (limiting.size() == 1) {
      solve(single(budgets.indexOf(limiting.get(0))));
    } else {
      relax();
    }
  }

  /**
   * @param cells of the cost axis, see {@link DynamicProgram}
   */
  public static BudgetedProgram of(SearchSpace space, DecisionLoss loss, int cells) {
    return new BudgetedProgram(space, loss, cells);
  }

  /** What a dynamic program finds with the only budget that matters. */
  private void solve(double[] weights) {
    tightest = DynamicProgram.weighted(space, loss, weights, cells);
    keep(tightest, tightest.best());
  }

  private void keep(DynamicProgram program, int point) {
    best = program.policy(point);
    bestLoss = program.loss(point);
  }

  private void relax() {
    Exchange exchange = new Exchange(space, loss);
    best = exchange.descended();
    bestLoss = exchange.loss(best);
    if (isSolvedByOne(exchange)) {
      return;
    }
    double[] weights = even();
    double length = FIRST_STEP;
    boolean tight = false; // whether the last weights led to a policy within all budgets
    for (int step = 0; step < STEPS && !tight && gap() > 0; step++) {
      DynamicProgram program = DynamicProgram.weighted(space, loss, weights, cells);
      keepAny(program, exchange);
      tight = space.budget().isMetBy(relaxed(program));
      weights = stepped(weights, overdrawn(program), length);
      length *= SHORTER;
    }
    trade(exchange);
  }

  /**
   * Whether one budget by itself leads to a policy within all, which is then the one looked for. If
   * that budget is met by what another leads to, the other's would be as good; so what others lead
   * to overdraws it.
   */
  private boolean isSolvedByOne(Exchange exchange) {
    boolean[] possible = binding.clone();
    for (int b = first(possible); b != NONE; b = first(possible)) {
      DynamicProgram program = DynamicProgram.weighted(space, loss, single(b), cells);
      if (space.budget().isMetBy(relaxed(program))) {
        tightest = program;
        keep(program, program.relaxed());
        return true;
      }
      keepAny(program, exchange);
      double[] overdrawn = overdrawn(program);
      for (int other = 0; other < possible.length; other++) {
        possible[other] &= other != b && overdrawn[other] > 0;
      }
    }
    return false;
  }

  private static int first(boolean[] possible) {
    for (int b = 0; b < possible.length; b++) {
      if (possible[b]) {
        return b;
      }
    }
    return NONE;
  }

  /** A program's bound, and its policies within all budgets where they lose less. */
  private void keepAny(DynamicProgram program, Exchange exchange) {
    if (tightest == null || program.bound() > tightest.bound()) {
      tightest = program;
    }
    int within = program.best(bestLoss);
    if (within != DynamicProgram.NONE) {
      keep(program, within);
    }
    keepIfLess(exchange.fitted(relaxed(program)), exchange);
  }

  private boolean keepIfLess(Policy policy, Exchange exchange) {
    double losing = exchange.loss(policy);
    boolean less = losing < bestLoss;
    if (less) {
      best = policy;
      bestLoss = losing;
    }
    return less;
  }

  /** Trades of single widths, as long as one loses less. */
  private void trade(Exchange exchange) {
    boolean less = true;
    for (int trade = 0; trade < TRADES && less && gap() > 0; trade++) {
      List<Policy> neighbours = exchange.neighbours(best);
      less = !neighbours.isEmpty() && keepIfLess(neighbours.get(0), exchange);
    }
  }

  private static Policy relaxed(DynamicProgram program) {
    return program.policy(program.relaxed());
  }

  private double[] single(int budget) {
    double[] weights = new double[binding.length];
    weights[budget] = 1;
    return weights;
  }

  private double[] even() {
    double[] weights = new double[binding.length];
    for (int b = 0; b < weights.length; b++) {
      weights[b] = binding[b] ? 1 : 0;
    }
    return scaled(weights);
  }

  /**
   * By how much the relaxed policy exceeds each binding budget, as a share; below 0 what is left.
   */
  private double[] overdrawn(DynamicProgram program) {
    Policy relaxed = relaxed(program);
    double[] overdrawn = new double[binding.length];
    for (int b = 0; b < overdrawn.length; b++) {
      double share = budgets.get(b).share(relaxed);
      overdrawn[b] = binding[b] ? share - 1 : 0;
    }
    return overdrawn;
  }

  /** Weights that make what is overdrawn dearer and what is left cheaper. */
  private static double[] stepped(double[] weights, double[] overdrawn, double length) {
    double norm = Math.sqrt(Arrays.stream(overdrawn).map(o -> o * o).sum());
    double[] next = new double[weights.length];
    for (int b = 0; b < weights.length; b++) {
      next[b] = Math.max(0, weights[b] + length * overdrawn[b] / norm);
    }
    return scaled(next);
  }

  /** Adding up to 1. */
  private static double[] scaled(double[] weights) {
    double sum = Arrays.stream(weights).sum();
    return Arrays.stream(weights).map(weight -> weight / sum).toArray();
  }

  /** Of least loss among the policies found within all budgets. */
  public Policy best() {
    return best;
  }

  /** What {@link #best} loses. */
  double loss() {
    return bestLoss;
  }

  /** By how much any policy within all budgets might lose less than {@link #best}. */
  double gap() {
    return Math.max(0, bestLoss - tightest.bound());
  }

  /**
   * The best policy, then cheaper ones within all budgets, on the front of the tightest program.
   */
  public Front front() {
    int[] points =
        IntStream.iterate(tightest.relaxed(), point -> point >= 0, point -> point - 1)
            .filter(point -> tightest.loss(point) >= bestLoss)
            .filter(point -> isFurther(tightest.policy(point)))
            .toArray();
    return new Front(best, tightest, points);
  }

  private boolean isFurther(Policy policy) {
    return !policy.equals(best) && space.budget().isMetBy(policy);
  }

  /**
   * Policies of rising loss.
   *
   * @param points of all but the first on the program's front
   */
  public record Front(Policy best, DynamicProgram program, int[] points) {
    public int size() {
      return 1 + points.length;
    }

    /**
     * @param rank 0 for the best
     */
    public Policy policy(int rank) {
      return rank == 0 ? best : program.policy(points[rank - 1]);
    }
  }
}
