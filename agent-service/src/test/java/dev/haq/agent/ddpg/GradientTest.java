package dev.haq.agent.ddpg;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.haq.agent.search.ObservationSpace;
import dev.haq.agent.search.SeededRandom;
import dev.haq.agent.search.SeededRandom.Purpose;
import java.util.Arrays;
import java.util.function.DoubleSupplier;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class GradientTest {
  private static final int BATCH = 5;
  private static final int HIDDEN1 = 7;
  private static final int HIDDEN2 = 6;
  private static final double STEP = 1e-6;
  private static final double TOLERANCE = 2e-5;

  private final SeededRandom random = SeededRandom.of(3, Purpose.INITIAL_WEIGHTS, 0);
  private final float[] observations = randoms(ObservationSpace.SIZE * BATCH);
  private final float[] actions = randoms(BATCH);
  private final float[] targets = randoms(BATCH);

  @BeforeAll
  static void loadNatives() {
    Nd4jBackend.warmUp();
  }

  @Test
  void theForwardPassAgreesWithPlainLoops() {
    Critic critic = critic();
    float[] values = critic.values(observations, actions);
    PlainMlp plain = new PlainMlp(critic.network());
    for (int i = 0; i < BATCH; i++) {
      assertEquals(plain.forward(row(i, actions[i])), values[i], TOLERANCE);
    }
  }

  @Test
  void theCriticsLossGradientAgreesWithFiniteDifferences() {
    Critic critic = critic();
    Parameters gradient = gradient(critic.network());
    critic.lossGradient(critic.values(observations, actions), targets, gradient);

    PlainMlp plain = new PlainMlp(critic.network());
    assertGradient(plain, gradient, () -> loss(plain));
  }

  @Test
  void theCriticsActionGradientAgreesWithFiniteDifferences() {
    Critic critic = critic();
    critic.values(observations, actions);
    float[] gradient = critic.actionGradient();

    PlainMlp plain = new PlainMlp(critic.network());
    for (int i = 0; i < BATCH; i++) {
      double up = plain.forward(row(i, actions[i] + STEP));
      double down = plain.forward(row(i, actions[i] - STEP));
      assertEquals(-(up - down) / (2 * STEP) / BATCH, gradient[i], TOLERANCE);
    }
  }

  @Test
  void theActorsGradientThroughTheCriticAgreesWithFiniteDifferences() {
    Critic critic = critic();
    Mlp network = new Mlp(ObservationSpace.SIZE, HIDDEN1, HIDDEN2);
    network.initialise(random);
    Actor actor = new Actor(network, BATCH);
    critic.values(observations, actor.actions(observations));
    Parameters gradient = gradient(network);
    actor.gradient(critic.actionGradient(), gradient);

    PlainMlp mu = new PlainMlp(network);
    PlainMlp q = new PlainMlp(critic.network());
    assertGradient(mu, gradient, () -> actorLoss(mu, q));
  }

  private double loss(PlainMlp critic) {
    double sum = 0;
    for (int i = 0; i < BATCH; i++) {
      double error = critic.forward(row(i, actions[i])) - targets[i];
      sum += error * error;
    }
    return sum / BATCH;
  }

  private double actorLoss(PlainMlp mu, PlainMlp q) {
    double sum = 0;
    for (int i = 0; i < BATCH; i++) {
      double action = 1 / (1 + Math.exp(-mu.forward(observation(i))));
      sum -= q.forward(row(i, action));
    }
    return sum / BATCH;
  }

  private static void assertGradient(PlainMlp plain, Parameters gradient, DoubleSupplier loss) {
    float[] actual = new float[gradient.size()];
    gradient.read(actual);
    for (int p = 0; p < plain.values.length; p++) {
      double value = plain.values[p];
      plain.values[p] = value + STEP;
      double up = loss.getAsDouble();
      plain.values[p] = value - STEP;
      double down = loss.getAsDouble();
      plain.values[p] = value;
      assertEquals((up - down) / (2 * STEP), actual[p], TOLERANCE, "parameter " + p);
    }
  }

  private Critic critic() {
    Mlp network = new Mlp(Critic.INPUTS, HIDDEN1, HIDDEN2);
    Critic.initialise(network, random);
    return new Critic(network, BATCH);
  }

  private static Parameters gradient(Mlp network) {
    return new Parameters(network.inputs, network.hidden1, network.hidden2);
  }

  private double[] observation(int i) {
    double[] row = new double[ObservationSpace.SIZE];
    for (int d = 0; d < row.length; d++) {
      row[d] = observations[d * BATCH + i];
    }
    return row;
  }

  private double[] row(int i, double action) {
    double[] row = Arrays.copyOf(observation(i), Critic.INPUTS);
    row[ObservationSpace.SIZE] = action;
    return row;
  }

  private float[] randoms(int length) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = (float) random.nextDouble();
    }
    return values;
  }
}
