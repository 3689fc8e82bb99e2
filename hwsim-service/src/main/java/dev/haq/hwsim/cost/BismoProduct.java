package dev.haq.hwsim.cost;

/**
 * One matrix product on a bit-serial array: {@code rows} vectors of activations by {@code columns}
 * vectors of weights, each {@code words} words deep.
 *
 * @param rows R, at least 1
 * @param columns N, at least 1
 * @param words KT, at least 1
 * @param weightBits W
 * @param activationBits A
 */
record BismoProduct(long rows, long columns, long words, int weightBits, int activationBits) {}
