package dev.haq.agent.search;

import dev.haq.model.Operand;

/**
 * One bit-width to be chosen.
 *
 * @param layer 0-based
 */
public record Decision(int layer, Operand operand) {}
