package dev.haq.agent.search;

import dev.haq.model.Accuracy;
import dev.haq.model.Policy;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Hardware-aware automated quantization (paper, section 3): an agent proposes bit-widths, the
 * budget trims them, the hardware prices them, the quantizer judges them, the agent learns.
 *
 * <p>Beyond the paper: several targets at once. What a policy does to accuracy does not depend on
 * the hardware, so a policy is judged once and priced on every target. Episodes are proposed in
 * turn: number n by proposer n modulo their number; the other agents take note of what comes of it.
 *
 * <p>Proposing and learning belong to one thread; proposals may be judged by several. Blocks on its
 * ports.
 */
public final class Search {
  private final List<SearchTarget> targets;
  private final List<Proposer> proposers;
  private final AccuracyEvaluator evaluator;

  /**
   * @param targets at least one
   * @param proposers at least one; each one's policies can be run on at least one target
   */
  public Search(List<SearchTarget> targets, List<Proposer> proposers, AccuracyEvaluator evaluator) {
    this.targets = List.copyOf(targets);
    this.proposers = List.copyOf(proposers);
    this.evaluator = evaluator;
  }

  /** The paper's: one target, one agent. */
  public Search(SearchSpace space, HardwareCosts costs, AccuracyEvaluator evaluator, Agent agent) {
    this(List.of(new SearchTarget(costs, space)), List.of(new Proposer(space, agent)), evaluator);
  }

  /**
   * Runs one episode and lets the agents learn from it.
   *
   * @param number 1, 2, 3, ...: the one after the last that the agents learned from
   */
  public EpisodeResult episode(int number) {
    Proposal proposal = propose(number, List.of());
    Verdict verdict = judge(proposal);
    return learn(verdict);
  }

  private Proposer proposer(int number) {
    return proposers.get((number - 1) % proposers.size());
  }

  /** An episode's number among those of its proposer. */
  private int turn(int number) {
    return (number - 1) / proposers.size() + 1;
  }

  /**
   * Asks an agent for one action a decision, and trims the policy until it meets the budget.
   *
   * @param underWay policies of the episodes before it that are not learned from yet
   */
  Proposal propose(int number, List<Policy> underWay) {
    Stopwatch watch = new Stopwatch();
    SearchSpace space = proposer(number).space();
    Agent agent = proposer(number).agent();
    agent.beginEpisode(turn(number), underWay);
    List<Transition> steps = space.walk(agent::act);
    Policy policy = space.policy(steps.stream().map(Transition::action).toList());
    return new Proposal(number, steps, policy, agent.isWarmup(), watch.lap());
  }

  /** Prices and evaluates; any thread, several at a time. */
  Verdict judge(Proposal proposal) {
    Stopwatch watch = new Stopwatch();
    List<Optional<TargetCost>> costs = new ArrayList<>();
    for (SearchTarget target : targets) {
      costs.add(target.price(proposal.policy()));
    }
    double simulating = watch.lap();
    Accuracy accuracy = evaluator.evaluate(proposal.policy());
    return new Verdict(proposal, costs, accuracy, simulating, watch.lap());
  }

  /** Rewards the agent for the episode after the last that was learned from. */
  EpisodeResult learn(Verdict verdict) {
    Stopwatch watch = new Stopwatch();
    Proposal proposal = verdict.proposal();
    int number = proposal.number();
    Proposer own = proposer(number);
    double reward = own.space().settings().reward().of(verdict.accuracy(), evaluator.baseline());
    own.agent().learn(new Experience(turn(number), proposal.steps(), proposal.policy(), reward));
    for (int i = 0; i < proposers.size(); i++) {
      Proposer other = proposers.get(i);
      boolean another = i != (number - 1) % proposers.size();
      if (another && other.space().decisions().canReach(proposal.policy())) {
        other.agent().observe(proposal.policy(), reward);
      }
    }
    double agentSeconds = proposal.seconds() + watch.lap();
    return new EpisodeResult(
        number,
        proposal.policy(),
        reward,
        verdict.accuracy(),
        verdict.costs(),
        proposal.warmup(),
        new Timings(
            agentSeconds + verdict.simulating() + verdict.evaluating(),
            agentSeconds,
            verdict.simulating(),
            verdict.evaluating()));
  }

  /** The proposal that these actions make, as it was made before. */
  Proposal again(int number, List<Double> actions, boolean warmup) {
    SearchSpace space = proposer(number).space();
    return new Proposal(number, space.steps(actions), space.policy(actions), warmup, 0);
  }

  /** That of the only agent as it is; of several each with its length before it. */
  byte[] agentSnapshot() {
    List<byte[]> snapshots = proposers.stream().map(p -> p.agent().snapshot()).toList();
    if (snapshots.size() == 1) {
      return snapshots.get(0);
    }
    int bytes = snapshots.stream().mapToInt(snapshot -> Integer.BYTES + snapshot.length).sum();
    ByteBuffer out = ByteBuffer.allocate(bytes);
    snapshots.forEach(snapshot -> out.putInt(snapshot.length).put(snapshot));
    return out.array();
  }

  void restoreAgent(byte[] snapshot) {
    ByteBuffer in = ByteBuffer.wrap(snapshot);
    for (Proposer proposer : proposers) {
      byte[] own = new byte[proposers.size() == 1 ? snapshot.length : in.getInt()];
      in.get(own);
      proposer.agent().restore(own);
    }
  }
}
