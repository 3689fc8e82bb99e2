package dev.haq.agent.ddpg;

import dev.haq.model.HaqException;

/**
 * The agent's hyper-parameters. "Paper" is section 3.6; "code" is the authors' reference code.
 *
 * @param hidden1 units of the first hidden layer; 400 (paper; code: 300)
 * @param hidden2 units of the second hidden layer; 300 (paper and code)
 * @param actorLearningRate of Adam; 1e-4 (paper and code)
 * @param criticLearningRate of Adam; 1e-3 (paper and code)
 * @param tau share of the online network that a soft update mixes into its target; 0.01 (paper and
 *     code)
 * @param gamma discount of the next step's value; 1 (paper and code: a short episode's steps weigh
 *     the same)
 * @param batchSize transitions in an update; 64 (paper and code)
 * @param replayPerDecision transitions kept for each decision of an episode; 64 (code: 128 a layer,
 *     which has two decisions but for model size; the paper says 2000 in all)
 * @param warmupEpisodes episodes of uniform random actions before learning; 20 (code)
 * @param noiseSigma standard deviation of the exploration noise at first, of an action in 0..1; 0.5
 *     (paper and code)
 * @param noiseDecay factor on it after each episode past the warm-up; 0.99 (paper and code) over
 *     600 episodes, see {@link #noiseDecay(int, int)}
 * @param updatesPerTransition updates after each episode, for each of its transitions; 1 (code)
 * @param baselineDecay weight of the newest batch in the moving average of rewards that is taken
 *     off the critic's targets; 0.5 (code)
 */
public record DdpgSettings(
    int hidden1,
    int hidden2,
    double actorLearningRate,
    double criticLearningRate,
    double tau,
    double gamma,
    int batchSize,
    int replayPerDecision,
    int warmupEpisodes,
    double noiseSigma,
    double noiseDecay,
    int updatesPerTransition,
    double baselineDecay) {
  /** What the paper and the reference code use. */
  public static final DdpgSettings DEFAULTS =
      new DdpgSettings(400, 300, 1e-4, 1e-3, 0.01, 1, 64, 64, 20, 0.5, 0.99, 1, 0.5);

  private static final int MOST_UNITS = 4096;

  /** The reference code runs 600 episodes, 20 of them warm-up. */
  private static final double CODE_LEARNING_EPISODES = 580;

  /** Share of the first noise that the reference code's search ends with, 0.003. */
  static final double NOISE_LEFT = StrictMath.pow(DEFAULTS.noiseDecay, CODE_LEARNING_EPISODES);

  /** The noise never falls faster than over this many episodes. */
  private static final int FEWEST_LEARNING_EPISODES = 50;

  public DdpgSettings {
    between("hidden1", hidden1, 1, MOST_UNITS);
    between("hidden2", hidden2, 1, MOST_UNITS);
    positive("actor_learning_rate", actorLearningRate, 1);
    positive("critic_learning_rate", criticLearningRate, 1);
    positive("tau", tau, 1);
    fraction("gamma", gamma);
    between("batch_size", batchSize, 1, 4096);
    between("replay_per_decision", replayPerDecision, 1, 10_000);
    between("warmup_episodes", warmupEpisodes, 0, 100_000);
    positive("noise_sigma", noiseSigma, 10);
    positive("noise_decay", noiseDecay, 1);
    between("updates_per_transition", updatesPerTransition, 1, 100);
    positive("baseline_decay", baselineDecay, 1);
  }

  /**
   * The decay with which the noise of a search falls as far as the reference code's does over its
   * 600 episodes. A departure: at 0.99 a search of 120 episodes would end while its actions are
   * still mostly noise (0.18 of 0..1).
   *
   * @param episodes of the search; from 600 on the answer is 0.99
   * @param warmupEpisodes of these, without learning
   */
  public static double noiseDecay(int episodes, int warmupEpisodes) {
    double learning = Math.max(FEWEST_LEARNING_EPISODES, episodes - warmupEpisodes);
    return StrictMath.pow(DEFAULTS.noiseDecay, Math.max(1, CODE_LEARNING_EPISODES / learning));
  }

  /** These settings with another warm-up and other exploration noise. */
  public DdpgSettings exploring(int episodesOfWarmup, double sigma, double decay) {
    return new DdpgSettings(
        hidden1,
        hidden2,
        actorLearningRate,
        criticLearningRate,
        tau,
        gamma,
        batchSize,
        replayPerDecision,
        episodesOfWarmup,
        sigma,
        decay,
        updatesPerTransition,
        baselineDecay);
  }

  private static void between(String name, int value, int least, int most) {
    if (value < least || value > most) {
      throw HaqException.invalid("ddpg %s %d: use %d to %d", name, value, least, most);
    }
  }

  private static void positive(String name, double value, double most) {
    if (!(value > 0 && value <= most)) {
      throw HaqException.invalid("ddpg %s %s: use a number above 0, at most %s", name, value, most);
    }
  }

  private static void fraction(String name, double value) {
    if (!(value >= 0 && value <= 1)) {
      throw HaqException.invalid("ddpg %s %s: use 0 to 1", name, value);
    }
  }
}
