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
import dev.haq.model.Policy;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * The default agent: everything that is known beforehand, then everything that can be learned.
 *
 * <p>The first episodes evaluate the {@link Candidates}, which cost nothing to come by. From then
 * on three ways to propose a policy take turns, and all of them learn from every episode:
 *
 * <ol>
 *   <li>a dynamic program over the sensitivities as a {@link LossModel} has come to believe them;
 *   <li>a trade of single widths around the best policy so far ({@link Exchange}), by the same
 *       beliefs;
 *   <li>DDPG, whose actor has learned to imitate the dynamic program's policy and whose replay
 *       holds every episode, with little noise.
 * </ol>
 */
final class AutoAgent implements Agent {
  /** Standard deviation of the actor's noise at first: half of it moves an action by one width. */
  private static final double FIRST_SIGMA = 0.12;

  /** And in the last episode. */
  private static final double LAST_SIGMA = 0.03;

  private static final int IMITATION_UPDATES = 600;
  private static final int CRITIC_UPDATES = 200;

  /** A trade is drawn from this many of the most promising ones. */
  private static final int TRADES = 12;

  private final SearchSpace space;
  private final List<Policy> candidates;
  private final LossModel model;
  private final Best best;
  private final Ddpg ddpg;

  private boolean acting; // whether the episode begun is DDPG's
  private List<Double> actions = List.of(); // of the episode begun, where it is not
  private int step;

  AutoAgent(SearchSpace space, Sensitivities sensitivities, DdpgSettings settings) {
    this.space = space;
    candidates = Candidates.of(space, sensitivities);
    model =
        new LossModel(
            space.decisions(),
            (decision, width) -> sensitivities.loss(Reward.KL_DIVERGENCE, decision, width));
    best = new Best(space.decisions());
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
    int turn = number <= candidates.size() ? -1 : (number - candidates.size() - 1) % 3;
    acting = turn == 2;
    step = 0;
    if (acting) {
      ddpg.beginEpisode(number);
      return;
    }
    SeededRandom random = SeededRandom.of(space.settings().seed(), Purpose.EXPLORATION, number);
    Policy policy =
        switch (turn) {
          case 0 -> program(random);
          case 1 -> trade(random);
          default -> candidates.get(number - 1);
        };
    actions = space.decisions().actions(policy);
  }

  private Policy program(SeededRandom random) {
    DynamicProgram program = DynamicProgram.of(space, model.drawn(random), DynamicProgram.COARSE);
    return program.policy(program.best());
  }

  private Policy trade(SeededRandom random) {
    Policy from = best.policy().orElse(candidates.get(0));
    List<Policy> trades = new Exchange(space, model.drawn(random)).neighbours(from);
    return trades.isEmpty() ? from : trades.get(random.nextInt(Math.min(TRADES, trades.size())));
  }

  @Override
  public boolean isWarmup() {
    return false;
  }

  @Override
  public double act(Observation observation) {
    return acting ? ddpg.act(observation) : actions.get(step++);
  }

  @Override
  public void learn(Experience experience) {
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
    model.observe(policy, -reward);
    ddpg.observe(space.steps(space.decisions().actions(policy)), reward);
    if (space.budget().isMetBy(policy)) {
      best.add(policy, reward);
    }
  }

  /** The best policy, the model of losses, then DDPG's own. */
  @Override
  public byte[] snapshot() {
    byte[] learned = ddpg.snapshot();
    ByteBuffer out = ByteBuffer.allocate(ownBytes() + learned.length);
    best.save(out);
    model.save(out);
    out.put(learned);
    return out.array();
  }

  @Override
  public void restore(byte[] snapshot) {
    if (snapshot.length < ownBytes()) {
      throw new IllegalArgumentException(
          "a snapshot of " + snapshot.length + " bytes is of an agent with other settings");
    }
    ByteBuffer in = ByteBuffer.wrap(snapshot);
    best.load(in);
    model.load(in);
    byte[] learned = new byte[in.remaining()];
    in.get(learned);
    ddpg.restore(learned);
  }

  private int ownBytes() {
    return best.bytes() + model.bytes();
  }
}
