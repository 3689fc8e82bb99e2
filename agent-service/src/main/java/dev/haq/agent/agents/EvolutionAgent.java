package dev.haq.agent.agents;

import dev.haq.agent.search.Decision;
import dev.haq.agent.search.Experience;
import dev.haq.agent.search.SearchSpace;
import dev.haq.agent.search.SeededRandom;
import dev.haq.agent.search.SeededRandom.Purpose;
import dev.haq.model.Policy;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Regularised evolution (Real, Aggarwal, Huang, Le: Regularized evolution for image classifier
 * architecture search, AAAI 2019, algorithm 1): a child is the best of a few drawn from the
 * population with one width changed; it replaces the oldest, however good that was.
 *
 * <p>The population consists of policies as they were evaluated: fitted to the budget. Departures:
 * the paper's population of 100 and sample of 25 are for 20,000 evaluations; a search here has
 * hundreds, so both are smaller in the same proportion. A child is brought to the budget from where
 * the change left it.
 */
final class EvolutionAgent extends PolicyAgent {
  static final int POPULATION = 20;
  static final int SAMPLE = 5;

  private final SearchSpace space;
  private final Deque<Member> population = new ArrayDeque<>(); // oldest first

  private record Member(byte[] genes, double reward) {}

  EvolutionAgent(SearchSpace space) {
    super(space);
    this.space = space;
  }

  @Override
  Policy propose(int number, List<Policy> underWay) {
    SeededRandom random = SeededRandom.of(space.settings().seed(), Purpose.EXPLORATION, number);
    if (population.size() < POPULATION) {
      return refilled(Genome.random(space.decisions(), random), random);
    }
    List<Member> members = new ArrayList<>(population);
    Member parent = members.get(random.nextInt(members.size()));
    for (int i = 1; i < SAMPLE; i++) {
      Member other = members.get(random.nextInt(members.size()));
      parent = other.reward() > parent.reward() ? other : parent;
    }
    Policy parentPolicy = Genome.policy(space.decisions(), parent.genes());
    return refilled(Genome.mutated(space.decisions(), parentPolicy, random), random);
  }

  /**
   * Brought to the budget by random steps of one width: down until it is met, then up where there
   * is room, each decision once. The trimming that every proposal undergoes (paper, 3.3) starts at
   * the last layer each time, which would wear that out over the generations.
   */
  private Policy refilled(Policy policy, SeededRandom random) {
    Policy now = policy;
    int enough = 10 * space.decisions().size(); // in vain: hardly any decision is left to lower
    for (int inVain = 0; inVain < enough && !space.budget().isMetBy(now); ) {
      Decision decision = space.decisions().get(random.nextInt(space.decisions().size()));
      Policy lowered = space.budget().lowered(now, decision);
      inVain = lowered.equals(now) ? inVain + 1 : 0;
      now = lowered;
    }
    int first = random.nextInt(space.decisions().size());
    for (int i = 0; i < space.decisions().size(); i++) {
      int step = (first + i) % space.decisions().size();
      Policy wider = Genome.widened(space.decisions(), now, step);
      now = space.budget().isMetBy(wider) ? wider : now;
    }
    return now;
  }

  @Override
  public void learn(Experience experience) {
    add(experience.policy(), experience.reward());
  }

  /** A policy that another agent of the search found joins, where it meets the budget. */
  @Override
  public void observe(Policy policy, double reward) {
    if (space.budget().isMetBy(policy)) {
      add(policy, reward);
    }
  }

  private void add(Policy policy, double reward) {
    population.addLast(new Member(Genome.of(space.decisions(), policy), reward));
    if (population.size() > POPULATION) {
      population.removeFirst();
    }
  }

  /** Each member's genes and reward, oldest first. */
  @Override
  public byte[] snapshot() {
    ByteBuffer out = ByteBuffer.allocate(population.size() * memberBytes());
    population.forEach(member -> out.put(member.genes()).putDouble(member.reward()));
    return out.array();
  }

  @Override
  public void restore(byte[] snapshot) {
    if (snapshot.length % memberBytes() != 0) {
      throw new IllegalArgumentException(
          "a snapshot of " + snapshot.length + " bytes is of an agent with other settings");
    }
    population.clear();
    ByteBuffer in = ByteBuffer.wrap(snapshot);
    while (in.hasRemaining()) {
      byte[] genes = new byte[space.decisions().size()];
      in.get(genes);
      population.addLast(new Member(genes, in.getDouble()));
    }
  }

  private int memberBytes() {
    return space.decisions().size() + Double.BYTES;
  }
}
