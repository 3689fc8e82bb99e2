package dev.haq.agent.ddpg;

import dev.haq.agent.search.ObservationSpace;
import dev.haq.agent.search.SeededRandom;
import dev.haq.agent.search.Transition;
import java.nio.ByteBuffer;
import java.util.BitSet;
import java.util.List;

/**
 * The latest episodes' transitions, from which batches are drawn.
 *
 * <p>Whole episodes follow one another in a ring of a whole number of episodes, so that the
 * observation after a step is the one in the next place, and needs no place of its own.
 */
final class ReplayBuffer {
  private static final int SIZE = ObservationSpace.SIZE;

  private final int steps; // of an episode
  private final int capacity; // transitions
  private final float[] observations; // [capacity][SIZE]
  private final float[] actions;
  private final float[] rewards;
  private int written; // transitions ever added

  /**
   * @param steps of an episode
   * @param episodes to keep
   */
  ReplayBuffer(int steps, int episodes) {
    this.steps = steps;
    capacity = steps * episodes;
    observations = new float[capacity * SIZE];
    actions = new float[capacity];
    rewards = new float[capacity];
  }

  int size() {
    return sizeAfter(written);
  }

  /** Transitions held after {@code added} were ever added. */
  int sizeAfter(int added) {
    return Math.min(added, capacity);
  }

  /** Adds an episode, in the place of the oldest when there is no other. */
  void add(List<Transition> episode, double reward) {
    if (episode.size() != steps) {
      throw new IllegalArgumentException(
          "an episode of " + episode.size() + " steps, expected " + steps);
    }
    for (Transition step : episode) {
      int at = written++ % capacity;
      System.arraycopy(step.observation().values(), 0, observations, at * SIZE, SIZE);
      actions[at] = (float) step.action();
      rewards[at] = (float) reward;
    }
  }

  /**
   * Draws a batch without replacement; with it while there are fewer transitions than asked for.
   */
  void sample(SeededRandom random, Batch batch) {
    BitSet drawn = new BitSet(size());
    boolean repeat = size() < batch.size();
    for (int i = 0; i < batch.size(); i++) {
      int at = random.nextInt(size());
      while (!repeat && drawn.get(at)) {
        at = random.nextInt(size());
      }
      drawn.set(at);
      boolean last = at % steps == steps - 1;
      int next = last ? at : at + 1;
      batch.set(i, observations, at, next, actions[at], rewards[at], last);
    }
  }

  /** Bytes that {@link #save} writes with this many transitions. */
  int bytes(int transitions) {
    return Integer.BYTES + Float.BYTES * transitions * (SIZE + 2);
  }

  /** How many transitions were ever added, then those held. */
  void save(ByteBuffer out) {
    out.putInt(written);
    for (int i = 0; i < size() * SIZE; i++) {
      out.putFloat(observations[i]);
    }
    for (int i = 0; i < size(); i++) {
      out.putFloat(actions[i]).putFloat(rewards[i]);
    }
  }

  void load(ByteBuffer in) {
    written = in.getInt();
    for (int i = 0; i < size() * SIZE; i++) {
      observations[i] = in.getFloat();
    }
    for (int i = 0; i < size(); i++) {
      actions[i] = in.getFloat();
      rewards[i] = in.getFloat();
    }
  }
}
