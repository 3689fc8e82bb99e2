package dev.haq.agent.search;

import dev.haq.model.Accuracy;
import dev.haq.model.Cost;
import dev.haq.model.Policy;
import java.util.ArrayList;
import java.util.List;

/**
 * Hardware-aware automated quantization (paper, section 3): an agent proposes bit-widths, the
 * budget trims them, the hardware prices them, the quantizer judges them, the agent learns.
 *
 * <p>One thread at a time; blocks on its ports.
 */
public final class Search {
  /** Relative; both are sums of the same terms in the same order. */
  private static final double TABLE_TOLERANCE = 1e-9;

  private final SearchSettings settings;
  private final HardwareCosts costs;
  private final AccuracyEvaluator evaluator;
  private final Agent agent;
  private final Decisions decisions;
  private final ObservationSpace observations;
  private final BudgetFitter budget;

  /**
   * @throws dev.haq.model.HaqException when the settings ask for widths that the cost table lacks,
   *     leave nothing to search, or the budget cannot be met
   */
  public Search(
      SearchSettings settings, HardwareCosts costs, AccuracyEvaluator evaluator, Agent agent) {
    this.settings = settings;
    this.costs = costs;
    this.evaluator = evaluator;
    this.agent = agent;
    decisions = new Decisions(settings, costs.table());
    observations = new ObservationSpace(settings.network());
    budget = new BudgetFitter(decisions, costs.table(), settings.budget());
    budget.checkFeasible();
  }

  /**
   * Runs one episode and lets the agent learn from it.
   *
   * @param number 1, 2, 3, ...: the one after the last that the agent learned from
   */
  public EpisodeResult episode(int number) {
    Stopwatch watch = new Stopwatch();
    agent.beginEpisode(number);
    List<Transition> steps = propose();
    Policy policy = budget.fit(decisions.policy(actions(steps)));
    double proposing = watch.lap();

    Cost cost = simulate(policy);
    double simulating = watch.lap();

    Accuracy accuracy = evaluator.evaluate(policy);
    double reward = Reward.of(accuracy, evaluator.baseline());
    double evaluating = watch.lap();

    boolean warmup = agent.isWarmup();
    agent.learn(steps, reward);
    double learning = watch.lap();

    return new EpisodeResult(
        number,
        policy,
        reward,
        accuracy,
        cost,
        settings.budget().ratio(cost.of(settings.resource())),
        warmup,
        new Timings(watch.total(), proposing + learning, simulating, evaluating));
  }

  /** One action for each decision; each sees the one before. */
  private List<Transition> propose() {
    List<Transition> steps = new ArrayList<>();
    Observation observation =
        observations.observe(decisions.get(0), ObservationSpace.FIRST_PREVIOUS_ACTION);
    for (int step = 0; step < decisions.size(); step++) {
      double action = agent.act(observation);
      boolean last = step == decisions.size() - 1;
      Observation next = last ? observation : observations.observe(decisions.get(step + 1), action);
      steps.add(new Transition(observation, action, next, last));
      observation = next;
    }
    return steps;
  }

  private static List<Double> actions(List<Transition> steps) {
    return steps.stream().map(Transition::action).toList();
  }

  /** The hardware in the loop. It must agree with the table, or the budget means nothing. */
  private Cost simulate(Policy policy) {
    Cost cost = costs.simulate(policy);
    double simulated = cost.of(settings.resource());
    double expected = budget.cost(policy);
    if (Math.abs(simulated - expected) > TABLE_TOLERANCE * expected) {
      throw new IllegalStateException(
          "the simulator answers "
              + simulated
              + " "
              + settings.resource().unit()
              + " for a policy that its own cost table prices at "
              + expected);
    }
    return cost;
  }
}
