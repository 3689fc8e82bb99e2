package dev.haq.agent.ddpg;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.agent.search.Experience;
import dev.haq.agent.search.Observation;
import dev.haq.agent.search.ObservationSpace;
import dev.haq.agent.search.SeededRandom;
import dev.haq.agent.search.SeededRandom.Purpose;
import dev.haq.agent.search.Transition;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleSupplier;
import org.junit.jupiter.api.Test;

/**
 * A whole learning step (critic, actor, both soft updates, Adam, the moving average of rewards)
 * beside the method's equations written out in double precision, with gradients by finite
 * differences.
 */
class UpdateTest {
  private static final int STEPS = 2;
  private static final int WARMUP = 6;
  private static final int BATCH = 5;
  private static final double ACTOR_RATE = 1e-3;
  private static final double CRITIC_RATE = 2e-3;
  private static final double TAU = 0.05;
  private static final double GAMMA = 0.9;
  private static final double BASELINE_DECAY = 0.5;
  private static final double STEP = 1e-6;
  private static final long SEED = 11;

  private static final DdpgSettings SETTINGS =
      new DdpgSettings(
          6,
          5,
          ACTOR_RATE,
          CRITIC_RATE,
          TAU,
          GAMMA,
          BATCH,
          32,
          WARMUP,
          0.5,
          0.99,
          1,
          BASELINE_DECAY);

  private final Ddpg agent = new Ddpg(SETTINGS, STEPS, SEED);
  private final ReplayBuffer replay = new ReplayBuffer(STEPS, 32);
  private final SeededRandom random = SeededRandom.of(4, Purpose.EXPLORATION, 1);
  private double baseline = Double.NaN;

  @Test
  void twoUpdatesFollowTheEquations() {
    for (int n = 1; n <= WARMUP; n++) {
      learn(n);
    }
    Networks expected = networks();
    learn(WARMUP + 1);
    Networks actual = networks();

    PlainAdam actorAdam = new PlainAdam(expected.mu.values.length, ACTOR_RATE);
    PlainAdam criticAdam = new PlainAdam(expected.q.values.length, CRITIC_RATE);
    SeededRandom draws = SeededRandom.of(SEED, Purpose.REPLAY, WARMUP + 1);
    Batch batch = new Batch(BATCH);
    for (int update = 0; update < STEPS; update++) {
      replay.sample(draws, batch);
      update(expected, batch, actorAdam, criticAdam);
    }
    assertClose(expected.mu, actual.mu, ACTOR_RATE, "actor");
    assertClose(expected.q, actual.q, CRITIC_RATE, "critic");
    assertClose(expected.targetMu, actual.targetMu, TAU * ACTOR_RATE, "target actor");
    assertClose(expected.targetQ, actual.targetQ, TAU * CRITIC_RATE, "target critic");
  }

  private record Networks(PlainMlp mu, PlainMlp targetMu, PlainMlp q, PlainMlp targetQ) {}

  /** Equations 8 and 9 of the paper, and the deterministic policy gradient. */
  private void update(Networks at, Batch batch, PlainAdam actorAdam, PlainAdam criticAdam) {
    double mean = 0;
    for (float reward : batch.rewards) {
      mean += reward / BATCH;
    }
    baseline = Double.isNaN(baseline) ? mean : baseline + BASELINE_DECAY * (mean - baseline);
    double[] y = new double[BATCH];
    for (int i = 0; i < BATCH; i++) {
      double[] next = observation(batch.nextObservations, i);
      double future = value(at.targetQ, next, action(at.targetMu, next));
      y[i] = batch.rewards[i] - baseline + (batch.last[i] ? 0 : GAMMA * future);
    }
    criticAdam.step(
        at.q.values,
        gradient(
            at.q.values,
            () -> {
              double loss = 0;
              for (int i = 0; i < BATCH; i++) {
                double[] seen = observation(batch.observations, i);
                double error = value(at.q, seen, batch.actions[i]) - y[i];
                loss += error * error / BATCH;
              }
              return loss;
            }));
    actorAdam.step(
        at.mu.values,
        gradient(
            at.mu.values,
            () -> {
              double loss = 0;
              for (int i = 0; i < BATCH; i++) {
                double[] seen = observation(batch.observations, i);
                loss -= value(at.q, seen, action(at.mu, seen)) / BATCH;
              }
              return loss;
            }));
    blend(at.q, at.targetQ);
    blend(at.mu, at.targetMu);
  }

  private static void blend(PlainMlp online, PlainMlp target) {
    for (int i = 0; i < target.values.length; i++) {
      target.values[i] = TAU * online.values[i] + (1 - TAU) * target.values[i];
    }
  }

  private static double action(PlainMlp mu, double[] observation) {
    return 1 / (1 + Math.exp(-mu.forward(observation)));
  }

  private static double value(PlainMlp q, double[] observation, double action) {
    double[] input = Arrays.copyOf(observation, Critic.INPUTS);
    input[ObservationSpace.SIZE] = action;
    return q.forward(input);
  }

  private static double[] observation(float[] batch, int i) {
    double[] row = new double[ObservationSpace.SIZE];
    for (int d = 0; d < row.length; d++) {
      row[d] = batch[d * BATCH + i];
    }
    return row;
  }

  private static double[] gradient(double[] values, DoubleSupplier loss) {
    double[] gradient = new double[values.length];
    for (int p = 0; p < values.length; p++) {
      double value = values[p];
      values[p] = value + STEP;
      double up = loss.getAsDouble();
      values[p] = value - STEP;
      double down = loss.getAsDouble();
      values[p] = value;
      gradient[p] = (up - down) / (2 * STEP);
    }
    return gradient;
  }

  private static final class PlainAdam {
    private final double rate;
    private final double[] m;
    private final double[] v;
    private int t;

    PlainAdam(int size, double rate) {
      this.rate = rate;
      m = new double[size];
      v = new double[size];
    }

    void step(double[] values, double[] gradient) {
      t++;
      for (int i = 0; i < values.length; i++) {
        m[i] = 0.9 * m[i] + 0.1 * gradient[i];
        v[i] = 0.999 * v[i] + 0.001 * gradient[i] * gradient[i];
        double mHat = m[i] / (1 - Math.pow(0.9, t));
        double vHat = v[i] / (1 - Math.pow(0.999, t));
        values[i] -= rate * mHat / (Math.sqrt(vHat) + 1e-8);
      }
    }
  }

  /**
   * Adam moves a parameter by about the rate however small its gradient, so one whose gradient is
   * lost in rounding may go elsewhere: a few of them.
   */
  private static void assertClose(PlainMlp expected, PlainMlp actual, double rate, String what) {
    int off = 0;
    for (int i = 0; i < expected.values.length; i++) {
      double difference = Math.abs(expected.values[i] - actual.values[i]);
      assertTrue(difference <= 4 * rate + 1e-6, what + " " + i + " is off by " + difference);
      off += difference > 0.02 * rate + 2e-7 ? 1 : 0;
    }
    assertEquals(0, off / (1 + expected.values.length / 20), what + ": " + off + " are off");
  }

  private void learn(int number) {
    List<Transition> steps = new ArrayList<>();
    for (int step = 0; step < STEPS; step++) {
      steps.add(new Transition(observation(), random.nextDouble()));
    }
    double reward = -3 * random.nextDouble();
    replay.add(steps, reward);
    agent.learn(new Experience(number, steps, Policy.uniform(STEPS, LayerBits.of(8, 8)), reward));
  }

  private Observation observation() {
    float[] values = new float[ObservationSpace.SIZE];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextDouble();
    }
    return new Observation(values);
  }

  /** Read out of a snapshot, where they lie between the replay's part and Adam's. */
  private Networks networks() {
    ByteBuffer in = ByteBuffer.wrap(agent.snapshot());
    in.position(replay.bytes(replay.size()) + Double.BYTES);
    PlainMlp mu = read(ObservationSpace.SIZE, in);
    PlainMlp targetMu = read(ObservationSpace.SIZE, in);
    PlainMlp q = read(Critic.INPUTS, in);
    return new Networks(mu, targetMu, q, read(Critic.INPUTS, in));
  }

  private static PlainMlp read(int inputs, ByteBuffer in) {
    Mlp network = new Mlp(inputs, SETTINGS.hidden1(), SETTINGS.hidden2());
    network.load(in);
    return new PlainMlp(network);
  }
}
