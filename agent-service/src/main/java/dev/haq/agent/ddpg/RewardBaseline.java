package dev.haq.agent.ddpg;

import java.nio.ByteBuffer;

/**
 * B in the critic's target (paper, 3.6, equation 8): an exponential moving average of rewards, here
 * of each sampled batch's mean reward, as in the reference code. The first batch's mean starts it.
 */
final class RewardBaseline {
  private final double weight;
  private double average = Double.NaN;

  /**
   * @param weight of the newest batch, 0..1
   */
  RewardBaseline(double weight) {
    this.weight = weight;
  }

  /** Takes in a batch's rewards and answers the average, this batch included. */
  double update(float[] rewards) {
    double sum = 0;
    for (float reward : rewards) {
      sum += reward;
    }
    double mean = sum / rewards.length;
    average = Double.isNaN(average) ? mean : average + weight * (mean - average);
    return average;
  }

  void save(ByteBuffer out) {
    out.putDouble(average);
  }

  void load(ByteBuffer in) {
    average = in.getDouble();
  }
}
