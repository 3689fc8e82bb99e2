package dev.haq.agent.search;

import dev.haq.model.Cost;
import dev.haq.model.CostTable;
import dev.haq.model.Policy;
import dev.haq.model.Resource;

/**
 * What bit-widths cost on the session's hardware target. Port: a hardware simulator answers. Safe
 * for use by several threads.
 */
public interface HardwareCosts {
  /**
   * The cost of every layer at every pair of bit-widths. Fetched once a resource; it covers every
   * width that the search may reach and the 8 bits of pinned layers.
   */
  CostTable table(Resource resource);

  /**
   * Runs {@code policy} on the simulated hardware. Its costs equal the tables'. Layers left in
   * float are allowed where model size alone is limited.
   *
   * @throws dev.haq.model.HaqException when the simulator refuses or does not answer
   */
  Cost simulate(Policy policy);
}
