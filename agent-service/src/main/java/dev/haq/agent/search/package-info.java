/**
 * The search itself: what an episode is, what the agent sees and decides, how a policy is made to
 * fit its budget, and what it is worth. It owns the ports through which a search reaches its agent,
 * the hardware and the accuracy, and knows nothing about who stands behind them.
 */
package dev.haq.agent.search;
