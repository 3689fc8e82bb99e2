package dev.haq.agent.search;

import dev.haq.model.Cost;
import dev.haq.model.CostTable;
import dev.haq.model.Policy;

/** What bit-widths cost on the session's hardware target. Port: a hardware simulator answers. */
public interface HardwareCosts {
  /**
   * The cost of every layer at every pair of bit-widths, for the budget's resource. Fetched once;
   * it covers every width that the search may reach and the 8 bits of pinned layers.
   */
  CostTable table();

  /**
   * Runs {@code policy} on the simulated hardware. Its cost of the budget's resource equals the
   * table's. Layers left in float are allowed for model size alone.
   *
   * @throws dev.haq.model.HaqException when the simulator refuses or does not answer
   */
  Cost simulate(Policy policy);
}
