package dev.haq.agent.search;

import dev.haq.model.Accuracy;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;

/**
 * What a policy is worth. Cost is not in it: the budget is met before a policy is judged (paper,
 * 3.5).
 */
public enum Reward {
  /**
   * The paper's (3.5, equation 6): {@code R = lambda (acc_quant - acc_origin)}, top-1 in percentage
   * points.
   */
  ACCURACY {
    @Override
    public double of(Accuracy quantized, Accuracy baseline) {
      return LAMBDA * (quantized.top1() - baseline.top1());
    }
  },
  /**
   * By how much the mean cross-entropy rose, negated, in nats. Beyond the paper: smooth where top-1
   * moves in steps of one image; needs labels.
   */
  CROSS_ENTROPY {
    @Override
    public double of(Accuracy quantized, Accuracy baseline) {
      return baseline.crossEntropy() - quantized.crossEntropy();
    }
  },
  /**
   * The mean Kullback-Leibler divergence of the class probabilities from the float model's,
   * negated, in nats. Beyond the paper: smooth, needs few images and no labels.
   */
  KL_DIVERGENCE {
    @Override
    public double of(Accuracy quantized, Accuracy baseline) {
      return -quantized
          .klDivergence()
          .orElseThrow(
              () ->
                  new HaqException(
                      Reason.INTERNAL,
                      "the quantizer answered without the divergence from the float model"));
    }
  };

  /** The paper's scale of the reward, for accuracies in percentage points. */
  public static final double LAMBDA = 0.1;

  /**
   * @param quantized of the policy
   * @param baseline of the float model on the same images
   */
  public abstract double of(Accuracy quantized, Accuracy baseline);
}
