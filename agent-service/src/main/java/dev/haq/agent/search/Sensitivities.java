package dev.haq.agent.search;

import dev.haq.model.Accuracy;
import dev.haq.model.BitWidth;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.util.Map;

/**
 * The network's accuracy with one operand of one layer quantized and everything else in float.
 *
 * @param baseline the float model on the same images
 * @param entries by decision and width, with the divergence from the float model
 */
public record Sensitivities(Accuracy baseline, Map<Entry, Accuracy> entries) {
  /** What alone was quantized, and to how many bits. */
  public record Entry(Decision decision, BitWidth width) {}

  public Sensitivities {
    entries = Map.copyOf(entries);
  }

  /**
   * By how much each width alone worsens the network: 0 for not at all, or less where it happens to
   * improve it.
   *
   * @param measure KL_DIVERGENCE or CROSS_ENTROPY, in nats, or ACCURACY, in tenths of points
   */
  public DecisionLoss losses(Reward measure) {
    return (decision, width) -> loss(measure, decision, width);
  }

  private double loss(Reward measure, Decision decision, BitWidth width) {
    Accuracy alone = entries.get(new Entry(decision, width));
    if (alone == null) {
      throw new HaqException(
          Reason.INTERNAL,
          "the quantizer did not measure layer %d, %s at %s bits"
              .formatted(decision.layer(), decision.operand(), width));
    }
    return -measure.of(alone, baseline);
  }
}
