package dev.haq.agent.search;

import dev.haq.model.Accuracy;

/**
 * What a policy is worth (paper, 3.5, equation 6): {@code R = lambda (acc_quant - acc_origin)}.
 * Cost is not in it: the budget is met before a policy is judged.
 */
public final class Reward {
  /** The paper's scale of the reward, for accuracies in percentage points. */
  public static final double LAMBDA = 0.1;

  private Reward() {}

  /**
   * @param quantized top-1 of the policy
   * @param baseline top-1 of the float model on the same images
   */
  public static double of(Accuracy quantized, Accuracy baseline) {
    return LAMBDA * (quantized.top1() - baseline.top1());
  }
}
