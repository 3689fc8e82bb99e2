/**
 * Policies of least loss within budgets, where the losses of layers are taken to add up: by dynamic
 * programming, by trades of widths, and with losses that are corrected by what was evaluated. Knows
 * no agent.
 */
package dev.haq.agent.losses;
