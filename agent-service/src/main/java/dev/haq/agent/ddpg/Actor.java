package dev.haq.agent.ddpg;

import dev.haq.agent.search.ObservationSpace;

/**
 * mu(O), the actor (paper, 3.6): observation to action, a sigmoid at the end keeps it in 0..1.
 * Holds the memory for batches of one size.
 */
final class Actor {
  private final Mlp network;
  private final MlpPass pass;
  private final float[] actions; // [batch]
  private final float[] outputGradient; // [batch]

  Actor(Mlp network, int batch) {
    if (network.inputs != ObservationSpace.SIZE) {
      throw new IllegalArgumentException("an actor takes observations");
    }
    this.network = network;
    pass = network.pass(batch);
    actions = new float[batch];
    outputGradient = new float[batch];
  }

  Mlp network() {
    return network;
  }

  /**
   * @param observations [SIZE][batch]
   * @return [batch], valid until the next call
   */
  float[] actions(float[] observations) {
    float[] z = pass.forward(network.parameters(), observations);
    for (int i = 0; i < actions.length; i++) {
      actions[i] = (float) (1 / (1 + StrictMath.exp(-z[i])));
    }
    return actions;
  }

  /**
   * Gradient of a loss with respect to the parameters, after {@link #actions}.
   *
   * @param actionGradient the loss's with respect to the actions, [batch]
   */
  void gradient(float[] actionGradient, Parameters gradient) {
    for (int i = 0; i < actions.length; i++) {
      outputGradient[i] = actionGradient[i] * actions[i] * (1 - actions[i]); // sigmoid'
    }
    pass.backward(network.parameters(), outputGradient);
    pass.parameterGradient(gradient);
  }
}
