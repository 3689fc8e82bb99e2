package dev.haq.agent.baseline;

import dev.haq.agent.ddpg.Ddpg;
import dev.haq.agent.ddpg.DdpgSettings;
import dev.haq.agent.search.Agent;
import dev.haq.agent.search.Experience;
import dev.haq.agent.search.Observation;
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
final class AutoAgent implements Agent {
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

  /** And in the last episode. */
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

  private List<Policy> underWay = List.of(); // when the episode was begun
  private List<Double> actions = List.of(); // of the episode begun
  private int step;

  AutoAgent(SearchSpace space, Sensitivities sensitivities, DdpgSettings settings) {
    this.space = space;
    candidates = Candidates.of(space, sensitivities);
    model =
        new LossModel(
            space.decisions(),
            (decision, width) -> sensitivities.loss(Reward.KL_DIVERGENCE, decision, width));
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
  public void beginEpisode(int number) {
    beginEpisode(number, List.of());
  }

  @Override
  public void beginEpisode(int number, List<Policy> others) {
    underWay = List.copyOf(others);
    SeededRandom random = SeededRandom.of(space.settings().seed(), Purpose.EXPLORATION, number);
    step = 0;
    actions =
        number <= candidates.size()
            ? space.decisions().actions(candidates.get(number - 1))
            : switch (TURNS.get((number - candidates.size() - 1) % TURNS.size())) {
              case PROGRAM -> space.decisions().actions(program(random));
              case TRADE -> space.decisions().actions(trade(random));
              case DDPG -> explored(number);
            };
  }

  /** What the dynamic program comes to, or, where that was tried, its most promising neighbour. */
  private Policy program(SeededRandom random) {
    DecisionLoss beliefs = model.drawn(random, BOLDNESS);
    Policy policy = BudgetedProgram.of(space, beliefs, DynamicProgram.COARSE).best();
    return isKnown(policy)
        ? untried(new Exchange(space, beliefs).neighbours(policy)).orElse(policy)
        : policy;
  }

  /** The most promising new trade around the best policy, or else around one of its neighbours. */
  private Policy trade(SeededRandom random) {
    Exchange exchange = new Exchange(space, model.drawn(random, BOLDNESS));
    Policy from = best.policy().orElse(candidates.get(0));
    List<Policy> near = exchange.neighbours(from);
    return untried(near).or(() -> trade(exchange, near, random)).orElse(from);
  }

  private Optional<Policy> trade(Exchange exchange, List<Policy> from, SeededRandom random) {
    return from.isEmpty()
        ? Optional.empty()
        : untried(exchange.neighbours(from.get(random.nextInt(from.size()))));
  }

  private Optional<Policy> untried(List<Policy> policies) {
    return policies.stream().filter(policy -> !isKnown(policy)).findFirst();
  }

  /** Whether a policy was evaluated already or is being evaluated. */
  private boolean isKnown(Policy policy) {
    return tried.contains(policy) || underWay.contains(policy);
  }

  /** DDPG's actions, with more and more noise until they come to a new policy. */
  private List<Double> explored(int number) {
    ddpg.beginEpisode(number);
    List<Double> explored = explored(1.0);
    for (double widening = WIDENING;
        widening <= WIDEST && isKnown(space.policy(explored));
        widening *= WIDENING) {
      explored = explored(widening);
    }
    return explored;
  }

  private List<Double> explored(double widening) {
    return space.walk(observation -> ddpg.act(observation, widening)).stream()
        .map(Transition::action)
        .toList();
  }

  @Override
  public boolean isWarmup() {
    return false;
  }

  @Override
  public double act(Observation observation) {
    return actions.get(step++);
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

  private int ownBytes(byte layout) {
    return layout == LAYOUT
        ? 1 + tried.bytes() + best.bytes() + model.bytes()
        : best.bytes() + model.beliefBytes();
  }
}
