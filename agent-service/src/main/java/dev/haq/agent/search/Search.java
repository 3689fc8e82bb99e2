package dev.haq.agent.search;

import dev.haq.model.Accuracy;
import dev.haq.model.Cost;
import dev.haq.model.Policy;
import java.util.List;

/**
 * Hardware-aware automated quantization (paper, section 3): an agent proposes bit-widths, the
 * budget trims them, the hardware prices them, the quantizer judges them, the agent learns.
 *
 * <p>Proposing and learning belong to one thread; proposals may be judged by several. Blocks on its
 * ports.
 */
public final class Search {
  /** Relative; both are sums of the same terms in the same order. */
  private static final double TABLE_TOLERANCE = 1e-9;

  private final SearchSpace space;
  private final HardwareCosts costs;
  private final AccuracyEvaluator evaluator;
  private final Agent agent;

  public Search(SearchSpace space, HardwareCosts costs, AccuracyEvaluator evaluator, Agent agent) {
    this.space = space;
    this.costs = costs;
    this.evaluator = evaluator;
    this.agent = agent;
  }

  /**
   * Runs one episode and lets the agent learn from it.
   *
   * @param number 1, 2, 3, ...: the one after the last that the agent learned from
   */
  public EpisodeResult episode(int number) {
    Proposal proposal = propose(number);
    Verdict verdict = judge(proposal);
    return learn(verdict);
  }

  /** Asks the agent for one action a decision, and trims the policy until it meets the budget. */
  Proposal propose(int number) {
    Stopwatch watch = new Stopwatch();
    agent.beginEpisode(number);
    List<Transition> steps = space.walk(agent::act);
    Policy policy = space.policy(steps.stream().map(Transition::action).toList());
    return new Proposal(number, steps, policy, agent.isWarmup(), watch.lap());
  }

  /** Prices and evaluates; any thread, several at a time. */
  Verdict judge(Proposal proposal) {
    Stopwatch watch = new Stopwatch();
    Cost cost = simulate(proposal.policy());
    double simulating = watch.lap();
    Accuracy accuracy = evaluator.evaluate(proposal.policy());
    return new Verdict(proposal, cost, accuracy, simulating, watch.lap());
  }

  /** Rewards the agent for the episode after the last that it learned from. */
  EpisodeResult learn(Verdict verdict) {
    Stopwatch watch = new Stopwatch();
    Proposal proposal = verdict.proposal();
    double reward = space.settings().reward().of(verdict.accuracy(), evaluator.baseline());
    agent.learn(new Experience(proposal.number(), proposal.steps(), proposal.policy(), reward));
    double agentSeconds = proposal.seconds() + watch.lap();
    return new EpisodeResult(
        proposal.number(),
        proposal.policy(),
        reward,
        verdict.accuracy(),
        verdict.cost(),
        costRatio(verdict.cost()),
        proposal.warmup(),
        new Timings(
            agentSeconds + verdict.simulating() + verdict.evaluating(),
            agentSeconds,
            verdict.simulating(),
            verdict.evaluating()));
  }

  /** The proposal that these actions make, as it was made before. */
  Proposal again(int number, List<Double> actions, boolean warmup) {
    return new Proposal(number, space.steps(actions), space.policy(actions), warmup, 0);
  }

  byte[] agentSnapshot() {
    return agent.snapshot();
  }

  void restoreAgent(byte[] snapshot) {
    agent.restore(snapshot);
  }

  private double costRatio(Cost cost) {
    ResourceBudget main = space.settings().mainBudget();
    return main.budget().ratio(cost.of(main.resource()));
  }

  /** The hardware in the loop. It must agree with the tables, or the budget means nothing. */
  private Cost simulate(Policy policy) {
    Cost cost = costs.simulate(policy);
    for (ResourceBudget budget : space.settings().budgets()) {
      double simulated = cost.of(budget.resource());
      double expected = budget.cost(policy);
      if (Math.abs(simulated - expected) > TABLE_TOLERANCE * expected) {
        throw new IllegalStateException(
            "the simulator answers "
                + simulated
                + " "
                + budget.resource().unit()
                + " for a policy that its own cost table prices at "
                + expected);
      }
    }
    return cost;
  }
}
