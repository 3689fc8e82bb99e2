package dev.haq.agent.ddpg;

import dev.haq.agent.search.SeededRandom;
import dev.haq.model.HaqException;

/**
 * Exploration noise (paper, 3.6): a normal distribution around the actor's action, cut off outside
 * 0..1 and scaled up in between.
 *
 * <p>Drawn by rejection, which is exact. The mean lies in 0..1, so with a small sigma at least a
 * third of the normal's draws are kept; with a large one uniform draws are kept in proportion to
 * the density, which is nowhere below exp(-1/2) of its peak.
 */
final class TruncatedNormal {
  private TruncatedNormal() {}

  /**
   * @param mean 0..1
   * @param sigma of the untruncated normal; with 0 it is the mean
   * @return 0..1
   * @throws HaqException when the mean is not a number: the actor that gave it has diverged
   */
  static double sample(double mean, double sigma, SeededRandom random) {
    if (Double.isNaN(mean)) {
      throw HaqException.invalid(
          "the ddpg agent has diverged, its action is not a number: use a smaller actor_learning_rate or critic_learning_rate");
    }
    if (!(sigma >= 0) || Double.isInfinite(sigma)) {
      throw new IllegalArgumentException("a normal distribution has no sigma of " + sigma);
    }
    if (sigma < 1) {
      while (true) {
        double x = mean + sigma * random.nextGaussian();
        if (x >= 0 && x <= 1) {
          return x;
        }
      }
    }
    while (true) {
      double x = random.nextDouble();
      double z = (x - mean) / sigma;
      if (random.nextDouble() < StrictMath.exp(-z * z / 2)) {
        return x;
      }
    }
  }
}
