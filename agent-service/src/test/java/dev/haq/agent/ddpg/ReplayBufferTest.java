package dev.haq.agent.ddpg;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.haq.agent.search.Observation;
import dev.haq.agent.search.ObservationSpace;
import dev.haq.agent.search.SeededRandom;
import dev.haq.agent.search.SeededRandom.Purpose;
import dev.haq.agent.search.Transition;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class ReplayBufferTest {
  private static final int STEPS = 3;

  private final SeededRandom random = SeededRandom.of(1, Purpose.REPLAY, 1);

  @Test
  void everyTransitionComesBackWithItsEpisodesReward() {
    ReplayBuffer replay = new ReplayBuffer(STEPS, 4);
    replay.add(episode(1), 0.1);
    replay.add(episode(2), 0.2);
    Batch batch = new Batch(2 * STEPS);
    replay.sample(random, batch);
    for (int i = 0; i < batch.size(); i++) {
      int tag = (int) batch.observations[i]; // first number of the observation: 10 episode + step
      int step = tag % 10;
      int episode = tag / 10;
      assertEquals(episode * 0.1, batch.rewards[i], 1e-6);
      assertEquals(step == STEPS - 1, batch.last[i]);
      assertEquals(step * 0.25, batch.actions[i], 1e-6);
      if (!batch.last[i]) {
        assertEquals(tag + 1, batch.nextObservations[i]);
      }
    }
  }

  @Test
  void aBatchHasNoTransitionTwice() {
    ReplayBuffer replay = new ReplayBuffer(STEPS, 4);
    for (int n = 1; n <= 4; n++) {
      replay.add(episode(n), 0);
    }
    assertEquals(4 * STEPS, tags(replay, 4 * STEPS).size());
  }

  @Test
  void theOldestEpisodeMakesRoom() {
    ReplayBuffer replay = new ReplayBuffer(STEPS, 2);
    for (int n = 1; n <= 3; n++) {
      replay.add(episode(n), 0);
    }
    assertEquals(2 * STEPS, replay.size());
    assertEquals(Set.of(20f, 21f, 22f, 30f, 31f, 32f), tags(replay, 2 * STEPS));
  }

  private Set<Float> tags(ReplayBuffer replay, int size) {
    Batch batch = new Batch(size);
    replay.sample(random, batch);
    Set<Float> tags = new TreeSet<>();
    for (int i = 0; i < size; i++) {
      tags.add(batch.observations[i]);
    }
    return tags;
  }

  private static List<Transition> episode(int number) {
    List<Transition> steps = new ArrayList<>();
    for (int step = 0; step < STEPS; step++) {
      steps.add(new Transition(tagged(10 * number + step), step * 0.25));
    }
    return steps;
  }

  private static Observation tagged(float tag) {
    float[] values = new float[ObservationSpace.SIZE];
    values[0] = tag;
    return new Observation(values);
  }
}
