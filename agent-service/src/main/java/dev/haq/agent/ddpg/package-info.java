/**
 * Deep deterministic policy gradient: the agent of the paper (section 3.6), as plain matrix
 * operations on ND4J. It owns the actor, the critic, what they remember and how they learn; its
 * arrays never leave the package.
 */
package dev.haq.agent.ddpg;
