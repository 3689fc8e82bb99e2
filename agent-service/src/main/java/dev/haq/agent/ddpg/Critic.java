package dev.haq.agent.ddpg;

import dev.haq.agent.search.ObservationSpace;
import dev.haq.agent.search.SeededRandom;
import java.util.Arrays;

/**
 * Q(O, a), the critic (paper, 3.6; reference code): ReLU(W_s O + W_a a + b), a second hidden layer,
 * one number. W_s and W_a are one matrix over the observation with the action appended. Holds the
 * memory for batches of one size.
 */
final class Critic {
  static final int INPUTS = ObservationSpace.SIZE + 1;

  private final Mlp network;
  private final MlpPass pass;
  private final float[] input; // [INPUTS][batch]
  private final float[] outputGradient; // [batch]

  Critic(Mlp network, int batch) {
    if (network.inputs != INPUTS) {
      throw new IllegalArgumentException("a critic takes observations and an action");
    }
    this.network = network;
    pass = network.pass(batch);
    input = new float[INPUTS * batch];
    outputGradient = new float[batch];
  }

  /**
   * Draws first parameters. As in the reference code the action has a layer of its own, whose fan
   * in is 1, so that its weights start larger than the observation's; those are drawn as if the
   * action were one of their inputs, by 11 and not by 10.
   */
  static void initialise(Mlp network, SeededRandom random) {
    network.initialise(random);
    float[] values = network.values();
    int rows = INPUTS + 1;
    for (int unit = 0; unit < network.hidden1; unit++) {
      values[unit * rows + ObservationSpace.SIZE] = (float) (2 * random.nextDouble() - 1);
      values[unit * rows + INPUTS] += (float) (2 * random.nextDouble() - 1);
    }
    network.publish();
  }

  Mlp network() {
    return network;
  }

  /**
   * @param observations [SIZE][batch]
   * @param actions [batch]
   * @return [batch], valid until the next call
   */
  float[] values(float[] observations, float[] actions) {
    System.arraycopy(observations, 0, input, 0, observations.length);
    System.arraycopy(actions, 0, input, observations.length, actions.length);
    return pass.forward(network.parameters(), input);
  }

  /** Gradient of mean((values - targets)^2), after {@link #values} gave {@code values}. */
  void lossGradient(float[] values, float[] targets, Parameters gradient) {
    for (int i = 0; i < values.length; i++) {
      outputGradient[i] = 2 * (values[i] - targets[i]) / values.length;
    }
    pass.backward(network.parameters(), outputGradient);
    pass.parameterGradient(gradient);
  }

  /**
   * Gradient of -mean(values) with respect to the actions, after {@link #values}: what an actor
   * that ascends Q descends.
   *
   * @return [batch]
   */
  float[] actionGradient() {
    Arrays.fill(outputGradient, -1f / outputGradient.length);
    pass.backward(network.parameters(), outputGradient);
    return pass.inputGradient(network.parameters(), ObservationSpace.SIZE);
  }
}
