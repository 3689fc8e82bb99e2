package dev.haq.agent.ddpg;

import dev.haq.agent.search.Agent;
import dev.haq.agent.search.Experience;
import dev.haq.agent.search.Observation;
import dev.haq.agent.search.ObservationSpace;
import dev.haq.agent.search.SeededRandom;
import dev.haq.agent.search.SeededRandom.Purpose;
import dev.haq.agent.search.Transition;
import dev.haq.model.Policy;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Deep deterministic policy gradient as HAQ uses it (paper, 3.6; Lillicrap et al., ICLR 2016):
 * every transition of an episode carries the episode's reward, a moving average of rewards is taken
 * off the critic's targets, and noise is a truncated normal that shrinks from episode to episode.
 *
 * <p>Departures from the reference code: all transitions of an episode are stored before its
 * updates start (there updates take turns with storing); a pinned width takes no step (there the
 * agent acts for it and is overruled); 20 episodes are random and the noise begins at 0.5 (there
 * 21, and 0.495); the critic's two first-layer biases are one; a previous action in an observation
 * is the action, as the paper says, not the bits it stands for.
 *
 * <p>The noise's sigma and all random numbers derive from the seed and the episode's number, so a
 * snapshot holds the networks, their targets, Adam's moments, the replay buffer and the reward
 * baseline.
 */
public final class Ddpg implements Agent {
  /** Adam's, in {@link #imitate}. */
  private static final double IMITATION_RATE = 1e-3;

  /** Changes about a tenth of the widths. */
  static final double LATE_SIGMA = 0.02;

  private final DdpgSettings settings;
  private final long seed;

  private final Actor actor; // a batch at a time
  private final Actor actingActor; // the same network, one observation at a time
  private final Actor targetActor;
  private final Critic critic;
  private final Critic targetCritic;
  private final Descent actorDescent;
  private final Descent criticDescent;
  private final SoftUpdate softUpdate;
  private final ReplayBuffer replay;
  private final RewardBaseline rewardBaseline;

  private final Batch batch;
  private final float[] targets; // [batch]

  private int episode;
  private SeededRandom exploration;

  /**
   * @param decisions of an episode
   * @param seed of all random numbers
   */
  public Ddpg(DdpgSettings settings, int decisions, long seed) {
    Nd4jBackend.warmUp();
    this.settings = settings;
    this.seed = seed;
    SeededRandom random = SeededRandom.of(seed, Purpose.INITIAL_WEIGHTS, 0);
    Mlp mu = new Mlp(ObservationSpace.SIZE, settings.hidden1(), settings.hidden2());
    Mlp q = new Mlp(Critic.INPUTS, settings.hidden1(), settings.hidden2());
    mu.initialise(random);
    Critic.initialise(q, random);
    int size = settings.batchSize();
    actor = new Actor(mu, size);
    actingActor = new Actor(mu, 1);
    targetActor = new Actor(mu.copy(), size);
    critic = new Critic(q, size);
    targetCritic = new Critic(q.copy(), size);
    actorDescent = new Descent(mu, settings.actorLearningRate());
    criticDescent = new Descent(q, settings.criticLearningRate());
    softUpdate = new SoftUpdate(settings.tau());
    replay = new ReplayBuffer(decisions, settings.replayPerDecision());
    rewardBaseline = new RewardBaseline(settings.baselineDecay());
    batch = new Batch(size);
    targets = new float[size];
  }

  /** Length of a snapshot once the replay buffer is full; does not overflow. */
  public static long mostSnapshotBytes(DdpgSettings settings, int decisions) {
    long parameters =
        parameters(ObservationSpace.SIZE, settings) + parameters(Critic.INPUTS, settings);
    long copies = 4; // the network, its target, Adam's two moments
    long transitions = (long) decisions * settings.replayPerDecision();
    long counts = 3L * Integer.BYTES + Double.BYTES; // of the replay, of Adam twice; baseline
    return Float.BYTES * (copies * parameters + transitions * (ObservationSpace.SIZE + 2)) + counts;
  }

  private static long parameters(int inputs, DdpgSettings settings) {
    long first = (inputs + 1L) * settings.hidden1();
    long second = (settings.hidden1() + 1L) * settings.hidden2();
    return first + second + settings.hidden2() + 1;
  }

  @Override
  public void beginEpisode(int number, List<Policy> underWay) {
    episode = number;
    exploration = SeededRandom.of(seed, Purpose.EXPLORATION, number);
  }

  @Override
  public boolean isWarmup() {
    return episode <= settings.warmupEpisodes();
  }

  @Override
  public double act(Observation observation) {
    return act(observation, sigma());
  }

  /**
   * Beyond the paper: with other noise.
   *
   * @param sigma its standard deviation, above 0
   */
  public double act(Observation observation, double sigma) {
    if (isWarmup()) {
      return exploration.nextDouble();
    }
    double mean = actingActor.actions(observation.values())[0];
    return TruncatedNormal.sample(mean, sigma, exploration);
  }

  /**
   * Standard deviation of the noise in this episode; of meaning past the warm-up alone. A
   * departure: where the reference code's search would have ended the noise rises to {@link
   * #LATE_SIGMA} and stays there, or a search that is extended would propose the same policy over
   * and over.
   */
  public double sigma() {
    int pastWarmup = episode - settings.warmupEpisodes() - 1;
    double fallen = StrictMath.pow(settings.noiseDecay(), pastWarmup);
    boolean late = fallen < DdpgSettings.NOISE_LEFT * (1 + 1e-9);
    double first = settings.noiseSigma();
    return late ? Math.min(LATE_SIGMA, first) : first * fallen;
  }

  @Override
  public void learn(Experience experience) {
    replay.add(experience.steps(), experience.reward());
    if (experience.number() <= settings.warmupEpisodes()) {
      return;
    }
    SeededRandom random = SeededRandom.of(seed, Purpose.REPLAY, experience.number());
    int updates = experience.steps().size() * settings.updatesPerTransition();
    for (int i = 0; i < updates; i++) {
      replay.sample(random, batch);
      update();
    }
  }

  /**
   * Beyond the paper: takes an episode into the replay buffer that another agent proposed.
   *
   * @param steps the actions that this agent would have come to its policy by
   */
  public void observe(List<Transition> steps, double reward) {
    replay.add(steps, reward);
  }

  /**
   * Beyond the paper: trains the actor to take the actions of {@code steps} where it sees what was
   * seen there, so that exploration starts around a policy that is known to be good. Supervised, by
   * the mean squared difference of the actions.
   *
   * @param updates how many batches
   */
  public void imitate(List<Transition> steps, int updates) {
    ReplayBuffer example = new ReplayBuffer(steps.size(), 1);
    example.add(steps, 0);
    SeededRandom random = SeededRandom.of(seed, Purpose.IMITATION, 0);
    Descent descent = new Descent(actor.network(), IMITATION_RATE);
    for (int i = 0; i < updates; i++) {
      example.sample(random, batch);
      float[] actions = actor.actions(batch.observations);
      float[] actionGradient = new float[actions.length];
      for (int j = 0; j < actions.length; j++) {
        actionGradient[j] = 2 * (actions[j] - batch.actions[j]) / actions.length;
      }
      actor.gradient(actionGradient, descent.gradient());
      descent.step();
    }
    new SoftUpdate(1).apply(actor.network(), targetActor.network());
  }

  /**
   * Beyond the paper: steps of the critic alone, from what the replay buffer holds, so that an
   * actor that has learned to imitate is not led astray by a critic that knows nothing.
   *
   * @param number the last episode's
   * @param updates how many batches
   */
  public void prepareCritic(int number, int updates) {
    SeededRandom random = SeededRandom.of(seed, Purpose.IMITATION, number);
    for (int i = 0; i < updates; i++) {
      replay.sample(random, batch);
      updateCritic();
      softUpdate.apply(critic.network(), targetCritic.network());
    }
  }

  /** One step of the critic, of the actor, and of both targets, from the batch drawn. */
  void update() {
    updateCritic();
    updateActor();
    softUpdate.apply(critic.network(), targetCritic.network());
    softUpdate.apply(actor.network(), targetActor.network());
  }

  private void updateCritic() {
    // y = R - B + gamma Q'(O', mu'(O')), without Q' on the last step (paper, equation 8)
    double b = rewardBaseline.update(batch.rewards);
    float[] nextActions = targetActor.actions(batch.nextObservations);
    float[] nextValues = targetCritic.values(batch.nextObservations, nextActions);
    for (int i = 0; i < targets.length; i++) {
      double next = batch.last[i] ? 0 : settings.gamma() * nextValues[i];
      targets[i] = (float) (batch.rewards[i] - b + next);
    }

    // the critic descends mean((Q(O, a) - y)^2) (paper, equation 9)
    float[] values = critic.values(batch.observations, batch.actions);
    critic.lossGradient(values, targets, criticDescent.gradient());
    criticDescent.step();
  }

  private void updateActor() {
    // the actor ascends mean(Q(O, mu(O)))
    critic.values(batch.observations, actor.actions(batch.observations));
    actor.gradient(critic.actionGradient(), actorDescent.gradient());
    actorDescent.step();
  }

  @Override
  public byte[] snapshot() {
    ByteBuffer out = ByteBuffer.allocate(bytes(replay.size()));
    replay.save(out);
    rewardBaseline.save(out);
    for (Mlp network : networks()) {
      network.save(out);
    }
    actorDescent.save(out);
    criticDescent.save(out);
    return out.array();
  }

  @Override
  public void restore(byte[] snapshot) {
    ByteBuffer in = ByteBuffer.wrap(snapshot);
    if (snapshot.length < Integer.BYTES
        || snapshot.length != bytes(replay.sizeAfter(in.getInt(0)))) {
      throw new IllegalArgumentException(
          "a snapshot of " + snapshot.length + " bytes is of an agent with other settings");
    }
    replay.load(in);
    rewardBaseline.load(in);
    for (Mlp network : networks()) {
      network.load(in);
    }
    actorDescent.load(in);
    criticDescent.load(in);
  }

  private List<Mlp> networks() {
    return List.of(
        actor.network(), targetActor.network(), critic.network(), targetCritic.network());
  }

  /** Length of a snapshot with this many transitions. */
  private int bytes(int transitions) {
    int bytes =
        replay.bytes(transitions) + Double.BYTES + actorDescent.bytes() + criticDescent.bytes();
    for (Mlp network : networks()) {
      bytes += Float.BYTES * network.values().length;
    }
    return bytes;
  }
}
