package dev.haq.agent.ddpg;

import dev.haq.agent.search.ObservationSpace;

/** Transitions drawn for one update, each number's column by itself as the networks take them. */
final class Batch {
  private static final int SIZE = ObservationSpace.SIZE;

  final float[] observations; // [SIZE][batch]
  final float[] nextObservations; // [SIZE][batch]
  final float[] actions; // [batch]
  final float[] rewards; // [batch]
  final boolean[] last; // [batch]

  Batch(int batch) {
    observations = new float[SIZE * batch];
    nextObservations = new float[SIZE * batch];
    actions = new float[batch];
    rewards = new float[batch];
    last = new boolean[batch];
  }

  int size() {
    return actions.length;
  }

  /**
   * Puts a transition into row {@code i}.
   *
   * @param memory observations, [transition][SIZE]
   * @param at its observation's place in {@code memory}
   * @param next the following observation's
   */
  void set(int i, float[] memory, int at, int next, float action, float reward, boolean isLast) {
    for (int d = 0; d < SIZE; d++) {
      observations[d * size() + i] = memory[at * SIZE + d];
      nextObservations[d * size() + i] = memory[next * SIZE + d];
    }
    actions[i] = action;
    rewards[i] = reward;
    last[i] = isLast;
  }
}
