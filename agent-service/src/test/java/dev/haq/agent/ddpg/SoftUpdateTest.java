package dev.haq.agent.ddpg;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.haq.agent.search.SeededRandom;
import dev.haq.agent.search.SeededRandom.Purpose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class SoftUpdateTest {
  @BeforeAll
  static void loadNatives() {
    Nd4jBackend.warmUp();
  }

  @Test
  void theTargetMovesByTauTowardsTheOnlineNetwork() {
    Mlp online = network(1);
    Mlp target = network(2);
    float[] before = target.values().clone();
    new SoftUpdate(0.01).apply(online, target);
    for (int i = 0; i < before.length; i++) {
      assertEquals(0.01 * online.values()[i] + 0.99 * before[i], target.values()[i], 1e-7);
    }
  }

  @Test
  void tauOneCopies() {
    Mlp online = network(1);
    Mlp target = network(2);
    new SoftUpdate(1).apply(online, target);
    assertArrayEquals(online.values(), target.values());
    float[] offHeap = new float[target.values().length];
    target.parameters().read(offHeap);
    assertArrayEquals(online.values(), offHeap);
  }

  private static Mlp network(long seed) {
    Mlp network = new Mlp(3, 4, 5);
    network.initialise(SeededRandom.of(seed, Purpose.INITIAL_WEIGHTS, 0));
    return network;
  }
}
