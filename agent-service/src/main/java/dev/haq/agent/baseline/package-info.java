/**
 * Simple agents that a learning one has to beat, behind the same port, and what their dynamic
 * program predicts without a search. It also knows all agents by name.
 */
package dev.haq.agent.baseline;
