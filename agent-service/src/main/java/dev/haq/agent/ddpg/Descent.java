package dev.haq.agent.ddpg;

import java.nio.ByteBuffer;

/** Steps of one network down a gradient, by {@link Adam}. */
final class Descent {
  private final Mlp network;
  private final Adam adam;
  private final Parameters gradient;
  private final float[] values; // the gradient's

  Descent(Mlp network, double rate) {
    this.network = network;
    adam = new Adam(network.values().length, rate);
    gradient = new Parameters(network.inputs, network.hidden1, network.hidden2);
    values = new float[network.values().length];
  }

  /** Where the gradient of the next step goes. */
  Parameters gradient() {
    return gradient;
  }

  void step() {
    gradient.read(values);
    adam.step(network.values(), values);
    network.publish();
  }

  /** Bytes that {@link #save} writes: Adam's moments. */
  int bytes() {
    return adam.bytes();
  }

  void save(ByteBuffer out) {
    adam.save(out);
  }

  void load(ByteBuffer in) {
    adam.load(in);
  }
}
