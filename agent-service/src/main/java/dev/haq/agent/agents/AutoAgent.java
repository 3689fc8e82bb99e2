package dev.haq.agent.agents;

import dev.haq.agent.ddpg.Ddpg;
import dev.haq.agent.ddpg.DdpgSettings;
import dev.haq.agent.losses.BudgetedProgram;
import dev.haq.agent.losses.DynamicProgram;
import dev.haq.agent.losses.Exchange;
import dev.haq.agent.losses.LossModel;
import dev.haq.agent.search.DecisionLoss;
import dev.haq.agent.search.Experience;
import dev.haq.agent.search.Reward;
import dev.haq.agent.search.SearchSpace;
import dev.haq.agent.search.SeededRandom;
import dev.haq.agent.search.SeededRandom.Purpose;
import dev.haq.agent.search.Sensitivities;
import dev.haq.agent.search.Transition;
import dev.haq.model.Policy;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/**
 * The default agent: everything that is known beforehand, then everything that can be learned.
 *
 * <p>The first episodes evaluate the {@link Candidates}, which cost nothing to come by. From then
 * on three ways to propose a policy take turns. All of them learn from every episode, and none
 * proposes a policy that was evaluated already or is under way, as long as it finds another:
 *
 * <ol>
 *   <li>a trade of single widths around the best policy so far ({@link Exchange}), the most
 *       promising by what a {@link LossModel} has come to believe of the sensitivities;
 *   <li>a dynamic program over the same beliefs;
 *   <li>DDPG, whose actor has learned to imitate the dynamic program's policy and whose replay
 *       holds every episode, with little noise.
 * </ol>
 */
final class AutoAgent extends ActingAgent {
  private enum Way {
    PROGRAM,
    TRADE,
    DDPG
  }

  /** Trades find most, so they come most often. */
  private static final List<Way> TURNS =
      List.of(Way.TRADE, Way.PROGRAM, Way.TRADE, Way.DDPG, Way.TRADE, Way.PROGRAM);

  /**
   * Standard deviation of the actor's noise at first: a sixth of the actions change their width.
   */
  private static final double FIRST_SIGMA = 0.05;

  /** And in the last episode, and in those by which a search is extended. */
  private static final double LAST_SIGMA = 0.02;

  private static final int IMITATION_UPDATES = 600;
  private static final int CRITIC_UPDATES = 200;

  /** How far from the mean beliefs are drawn; see {@link LossModel#drawn}. */
  private static final double BOLDNESS = 0.25;

  /** DDPG's noise is widened by this factor as long as it comes to a policy that was tried. */
  private static final double WIDENING = 1.5;

  /** At most so far. */
  private static final double WIDEST = 8;

  /**
   * First byte of a snapshot. Those made before layouts had a number begin with 0 or 1, and know
   * neither what was tried nor the least loss.
   */
  private static final byte LAYOUT = 2;

  private final SearchSpace space;
  private final List<Policy> candidates;
  private final LossModel model;
  private final Best best;
  private final Tried tried;
  private final Ddpg ddpg;

  AutoAgent(SearchSpace space, Sensitivities sensitivities, DdpgSettings settings) {
    this.space = space;
    candidates = Candidates.of(space, sensitivities);
    model = new LossModel(space.decisions(), sensitivities.losses(Reward.KL_DIVERGENCE));
    best = new Best(space.decisions());
    tried = new Tried(space.decisions());
    int exploring = Math.max(1, space.settings().episodes() - candidates.size());
    double decay = StrictMath.pow(LAST_SIGMA / FIRST_SIGMA, 1.0 / exploring);
    ddpg =
        new Ddpg(
            settings.exploring(candidates.size(), FIRST_SIGMA, decay),
            space.decisions().size(),
            space.settings().seed());
    ddpg.imitate(space.steps(space.decisions().actions(candidates.get(0))), IMITATION_UPDATES);
  }

  @Override
  List<Double> actions(int number, List<Policy> underWay) {
    if (number <= candidates.size()) {
      return space.decisions().actions(candidates.get(number - 1));
    }
    SeededRandom random = SeededRandom.of(space.settings().seed(), Purpose.EXPLORATION, number);
    return switch (TURNS.get((number - candidates.size() - 1) % TURNS.size())) {
      case PROGRAM -> space.decisions().actions(program(random, underWay));
      case TRADE -> space.decisions().actions(trade(random, underWay));
      case DDPG -> explored(number, underWay);
    };
  }

  /** What the dynamic program comes to, or, where that was tried, its most promising neighbour. */
  private Policy program(SeededRandom random, List<Policy> underWay) {
    DecisionLoss beliefs = model.drawn(random, BOLDNESS);
    Policy policy = BudgetedProgram.of(space, beliefs, DynamicProgram.COARSE).best();
    return tried.isNew(policy, underWay)
        ? policy
        : firstNew(new Exchange(space, beliefs).neighbours(policy), underWay).orElse(policy);
  }

  /** The most promising new trade around the best policy, or else around one of its neighbours. */
  private Policy trade(SeededRandom random, List<Policy> underWay) {
    Exchange exchange = new Exchange(space, model.drawn(random, BOLDNESS));
    Policy from = best.policy().orElse(candidates.get(0));
    List<Policy> near = exchange.neighbours(from);
    return firstNew(near, underWay)
        .or(
            () ->
                near.isEmpty()
                    ? Optional.empty()
                    : firstNew(
                        exchange.neighbours(near.get(random.nextInt(near.size()))), underWay))
        .orElse(from);
  }

  private Optional<Policy> firstNew(List<Policy> policies, List<Policy> underWay) {
    return policies.stream().filter(policy -> tried.isNew(policy, underWay)).findFirst();
  }

  /** DDPG's actions, with more and more noise until they come to a new policy. */
  private List<Double> explored(int number, List<Policy> underWay) {
    ddpg.beginEpisode(number, underWay);
    double sigma = Math.max(LAST_SIGMA, ddpg.sigma()); // the latter falls on in extended searches
    List<Double> explored = explored(sigma);
    for (double widening = WIDENING;
        widening <= WIDEST && !tried.isNew(space.policy(explored), underWay);
        widening *= WIDENING) {
      explored = explored(sigma * widening);
    }
    return explored;
  }

  private List<Double> explored(double sigma) {
    return space.walk(observation -> ddpg.act(observation, sigma)).stream()
        .map(Transition::action)
        .toList();
  }

  @Override
  public void learn(Experience experience) {
    tried.add(experience.policy());
    best.add(experience.policy(), experience.reward());
    model.observe(experience.policy(), -experience.reward());
    ddpg.learn(experience);
    if (experience.number() == candidates.size()) {
      ddpg.prepareCritic(experience.number(), CRITIC_UPDATES);
    }
  }

  /** What others found within their budgets tells as much about losses as what was found here. */
  @Override
  public void observe(Policy policy, double reward) {
    tried.add(policy);
    model.observe(policy, -reward);
    ddpg.observe(space.steps(space.decisions().actions(policy)), reward);
    if (space.budget().isMetBy(policy)) {
      best.add(policy, reward);
    }
  }

  /** The layout, what was tried, the best policy, the model of losses, then DDPG's own. */
  @Override
  public byte[] snapshot() {
    byte[] learned = ddpg.snapshot();
    ByteBuffer out = ByteBuffer.allocate(ownBytes(LAYOUT) + learned.length);
    out.put(LAYOUT);
    tried.save(out);
    best.save(out);
    model.save(out);
    out.put(learned);
    return out.array();
  }

  @Override
  public void restore(byte[] snapshot) {
    if (snapshot.length < 1 || snapshot.length < ownBytes(snapshot[0])) {
      throw new IllegalArgumentException(
          "a snapshot of " + snapshot.length + " bytes is of an agent with other settings");
    }
    ByteBuffer in = ByteBuffer.wrap(snapshot);
    if (snapshot[0] == LAYOUT) {
      in.get();
      tried.load(in);
      best.load(in);
      model.load(in);
    } else {
      best.load(in);
      model.loadBeliefs(-best.reward(), in);
    }
    byte[] learned = new byte[in.remaining()];
    in.get(learned);
    ddpg.restore(learned);
  }

  /** Bytes of a snapshot before DDPG's. */
  static long ownBytes(int decisions) {
    return 1 + Tried.BYTES + Best.bytes(decisions) + LossModel.bytes(decisions);
  }

  private int ownBytes(byte layout) {
    int decisions = space.decisions().size();
    long bytes =
        layout == LAYOUT
            ? ownBytes(decisions)
            : Best.bytes(decisions) + LossModel.beliefBytes(decisions);
    return Math.toIntExact(bytes);
  }
}
