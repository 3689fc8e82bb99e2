/**
 * Simple agents that a learning one has to beat, behind the same port. It also knows all agents by
 * name.
 */
package dev.haq.agent.baseline;
