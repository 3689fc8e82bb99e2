package dev.haq.agent.ddpg;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.agent.search.Agent;
import dev.haq.agent.search.Experience;
import dev.haq.agent.search.Observation;
import dev.haq.agent.search.ObservationSpace;
import dev.haq.agent.search.Transition;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DdpgTest {
  private static final int STEPS = 4;

  /** Which policy was evaluated does not matter to it. */
  private static final Policy ANY = Policy.uniform(STEPS, LayerBits.of(8, 8));

  /** Small and fast, otherwise as the paper. */
  private static final DdpgSettings SMALL =
      new DdpgSettings(64, 48, 1e-3, 1e-3, 0.01, 1, 32, 128, 5, 0.5, 0.97, 4, 0.5);

  @Test
  void itLearnsWhichActionEachStepWants() {
    Agent agent = new Ddpg(SMALL, STEPS, 1);
    double first = 0;
    double last = 0;
    for (int n = 1; n <= 150; n++) {
      double reward = run(agent, n);
      first += n <= 20 ? reward / 20 : 0;
      last += n > 130 ? reward / 20 : 0;
    }
    assertTrue(last > first / 4, "mean reward of the first " + first + ", of the last " + last);
  }

  @Test
  void warmUpActionsAreUniformAndNothingIsLearned() {
    Ddpg agent = new Ddpg(SMALL, STEPS, 1);
    byte[] networksBefore = networks(agent);
    run(agent, 1);
    assertTrue(agent.isWarmup());
    assertArrayEquals(networksBefore, networks(agent));
    agent.beginEpisode(6, List.of());
    assertEquals(false, agent.isWarmup());
  }

  @Test
  void theSameSeedGivesTheSameRewardsAndAnotherSeedDoesNot() {
    assertEquals(rewards(new Ddpg(SMALL, STEPS, 7)), rewards(new Ddpg(SMALL, STEPS, 7)));
    assertTrue(!rewards(new Ddpg(SMALL, STEPS, 7)).equals(rewards(new Ddpg(SMALL, STEPS, 8))));
  }

  @Test
  void aFullSnapshotIsAsLongAsForeseen() {
    DdpgSettings settings =
        new DdpgSettings(64, 48, 1e-3, 1e-3, 0.01, 1, 32, 2, 5, 0.5, 0.97, 4, 0.5);
    Ddpg agent = new Ddpg(settings, STEPS, 1);
    run(agent, 1);
    run(agent, 2);
    run(agent, 3);
    assertEquals(Ddpg.mostSnapshotBytes(settings, STEPS), agent.snapshot().length);
  }

  @Test
  void aRestoredAgentGoesOnAsTheUndisturbedOneBitForBit() {
    Agent undisturbed = new Ddpg(SMALL, STEPS, 7);
    List<Double> expected = new ArrayList<>();
    for (int cut : new int[] {0, 3, 12}) {
      Agent agent = new Ddpg(SMALL, STEPS, 7);
      for (int n = 1; n <= cut; n++) {
        run(agent, n);
      }
      byte[] snapshot = agent.snapshot();
      Agent restored = new Ddpg(SMALL, STEPS, 7);
      run(restored, 1); // whatever it was before must not matter
      restored.restore(snapshot);
      List<Double> rewards = new ArrayList<>();
      for (int n = cut + 1; n <= 20; n++) {
        rewards.add(run(restored, n));
      }
      while (expected.size() < 20) {
        expected.add(run(undisturbed, expected.size() + 1));
      }
      assertEquals(expected.subList(cut, 20), rewards, "cut after " + cut);
      assertArrayEquals(undisturbed.snapshot(), restored.snapshot(), "cut after " + cut);
    }
  }

  @Test
  void anEpisodeBegunAgainGoesTheSameWay() {
    Agent agent = new Ddpg(SMALL, STEPS, 7);
    for (int n = 1; n <= 8; n++) {
      run(agent, n);
    }
    agent.beginEpisode(9, List.of());
    double action = agent.act(observation(0));
    agent.beginEpisode(9, List.of());
    assertEquals(action, agent.act(observation(0)));
  }

  @ParameterizedTest
  @ValueSource(ints = {70, 120, 600})
  void aSearchThatIsExtendedGoesOnExploring(int episodes) {
    double decay = DdpgSettings.noiseDecay(episodes, 20);
    Ddpg agent = new Ddpg(SMALL.exploring(20, 0.5, decay), STEPS, 7);
    assertEquals(0.5, sigma(agent, 21));
    assertEquals(0.5 * decay, sigma(agent, 22), 1e-12);
    double last = sigma(agent, episodes);
    assertTrue(last > 0.00147 && last < 0.0018, "in the last episode " + last);
    assertEquals(Ddpg.LATE_SIGMA, sigma(agent, episodes + 1));
    assertEquals(Ddpg.LATE_SIGMA, sigma(agent, 100 * episodes));
  }

  private static double sigma(Ddpg agent, int number) {
    agent.beginEpisode(number, List.of());
    return agent.sigma();
  }

  @Test
  void aSnapshotOfAnotherShapeIsRefused() {
    byte[] snapshot = new Ddpg(SMALL, STEPS, 1).snapshot();
    Agent other = new Ddpg(DdpgSettings.DEFAULTS, STEPS, 1);
    assertThrows(IllegalArgumentException.class, () -> other.restore(snapshot));
    assertThrows(IllegalArgumentException.class, () -> other.restore(new byte[3]));
  }

  private static byte[] networks(Ddpg agent) {
    byte[] snapshot = agent.snapshot();
    int tail = new Ddpg(SMALL, STEPS, 1).snapshot().length - Integer.BYTES;
    return Arrays.copyOfRange(snapshot, snapshot.length - tail, snapshot.length);
  }

  private static List<Double> rewards(Agent agent) {
    List<Double> rewards = new ArrayList<>();
    for (int n = 1; n <= 12; n++) {
      rewards.add(run(agent, n));
    }
    return rewards;
  }

  /** Step k wants action 0.2 + 0.2 k; the reward is minus the squared misses. */
  private static double run(Agent agent, int number) {
    agent.beginEpisode(number, List.of());
    List<Transition> steps = new ArrayList<>();
    double reward = 0;
    for (int k = 0; k < STEPS; k++) {
      double action = agent.act(observation(k));
      steps.add(new Transition(observation(k), action));
      double miss = action - (0.2 + 0.2 * k);
      reward -= miss * miss;
    }
    agent.learn(new Experience(number, steps, ANY, reward));
    return reward;
  }

  private static Observation observation(int step) {
    float[] values = new float[ObservationSpace.SIZE];
    values[0] = step / (STEPS - 1f);
    values[step + 1] = 1;
    return new Observation(values);
  }
}
