package dev.haq.agent.search;

import dev.haq.model.BitWidth;

/** What a width is believed to cost in accuracy; losses of a policy's decisions add up. */
public interface DecisionLoss {
  /** Any unit; less is better. */
  double of(Decision decision, BitWidth width);
}
