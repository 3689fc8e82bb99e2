package dev.haq.agent.ddpg;

import dev.haq.agent.search.SeededRandom;
import java.nio.ByteBuffer;

/**
 * A perceptron with two hidden layers: input, hidden1, ReLU, hidden2, ReLU, one number (paper,
 * 3.6). Actor and critic have this shape.
 *
 * <p>The parameters live twice: on the heap, where optimizers walk over them (a Java loop is many
 * times faster at Adam than ND4J's operation), and off-heap, where matrices are multiplied.
 */
final class Mlp {
  final int inputs;
  final int hidden1;
  final int hidden2;
  private final Parameters parameters;
  private final float[] values;

  /** All parameters 0. */
  Mlp(int inputs, int hidden1, int hidden2) {
    this.inputs = inputs;
    this.hidden1 = hidden1;
    this.hidden2 = hidden2;
    parameters = new Parameters(inputs, hidden1, hidden2);
    values = new float[parameters.size()];
  }

  /** A copy of the same shape with the same parameters. */
  Mlp copy() {
    Mlp copy = new Mlp(inputs, hidden1, hidden2);
    System.arraycopy(values, 0, copy.values, 0, values.length);
    copy.publish();
    return copy;
  }

  /**
   * Draws weights and biases from U(-1/sqrt(fan in), 1/sqrt(fan in)), what the reference code's
   * framework does by default.
   */
  void initialise(SeededRandom random) {
    int at = fill(0, inputs, hidden1, random);
    at = fill(at, hidden1, hidden2, random);
    fill(at, hidden2, 1, random);
    publish();
  }

  private int fill(int from, int fanIn, int units, SeededRandom random) {
    double bound = 1 / Math.sqrt(fanIn);
    int to = from + (fanIn + 1) * units;
    for (int i = from; i < to; i++) {
      values[i] = (float) (bound * (2 * random.nextDouble() - 1));
    }
    return to;
  }

  /** Parameters on the heap; after changing them call {@link #publish}. */
  float[] values() {
    return values;
  }

  /** Makes what {@link #values} holds take effect. */
  void publish() {
    parameters.write(values);
  }

  /** Parameters as matrices; only to be read. */
  Parameters parameters() {
    return parameters;
  }

  MlpPass pass(int batch) {
    return new MlpPass(batch, inputs, hidden1, hidden2);
  }

  void save(ByteBuffer out) {
    Snapshot.put(out, values);
  }

  void load(ByteBuffer in) {
    Snapshot.get(in, values);
    publish();
  }
}
