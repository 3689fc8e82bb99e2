/**
 * All agents by name, and those beside the paper's: the default, {@code auto}, which proposes by
 * DDPG and by what is known of losses, and the simple ones that a learning one has to beat.
 */
package dev.haq.agent.agents;
