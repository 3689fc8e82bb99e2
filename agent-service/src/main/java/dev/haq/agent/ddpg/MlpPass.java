package dev.haq.agent.ddpg;

import java.util.Arrays;
import org.nd4j.linalg.api.ops.Op;
import org.nd4j.linalg.api.ops.impl.scalar.RectifiedLinear;
import org.nd4j.linalg.api.ops.impl.scalar.Step;
import org.nd4j.linalg.api.ops.impl.transforms.pairwise.arithmetic.MulOp;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Memory for sending one batch through an {@link Mlp} and back, used over and over.
 *
 * <p>All matrices are column-major and preallocated, and each hidden layer's last column is ones,
 * so that a layer is one matrix product. Operations are preallocated too: making one costs more
 * than running it.
 */
final class MlpPass {
  private final int batch;
  private final float[] values; // [batch]

  private final Matrix x; // [batch, inputs + 1]
  private final Matrix h1; // [batch, hidden1 + 1]
  private final Matrix h2; // [batch, hidden2 + 1]
  private final Matrix y; // [batch, 1]
  private final Matrix z1; // [batch, hidden1], of h1
  private final Matrix z2; // [batch, hidden2], of h2

  private final Matrix dy; // [batch, 1]
  private final Matrix dh2; // [batch, hidden2 + 1]
  private final Matrix dh1; // [batch, hidden1 + 1]
  private final Matrix dx; // [batch, inputs + 1]
  private final Matrix dz1; // [batch, hidden1], of dh1
  private final Matrix dz2; // [batch, hidden2], of dh2
  private final float[] inputGradient; // [inputs + 1][batch]

  private final Op relu1; // h = max(h, 0); leaves the ones alone
  private final Op relu2;
  private final Op on1; // which units of h are above 0
  private final Op on2;
  private final MulOp mask1; // dh where the unit is on, 0 elsewhere
  private final MulOp mask2;

  MlpPass(int batch, int inputs, int hidden1, int hidden2) {
    this.batch = batch;
    values = new float[batch];
    x = withOnes(batch, inputs);
    h1 = withOnes(batch, hidden1);
    h2 = withOnes(batch, hidden2);
    y = Matrix.zeros(batch, 1);
    z1 = h1.firstColumns(hidden1);
    z2 = h2.firstColumns(hidden2);
    dy = Matrix.zeros(batch, 1);
    dh2 = Matrix.zeros(batch, hidden2 + 1);
    dh1 = Matrix.zeros(batch, hidden1 + 1);
    dx = Matrix.zeros(batch, inputs + 1);
    dz1 = dh1.firstColumns(hidden1);
    dz2 = dh2.firstColumns(hidden2);
    inputGradient = new float[(inputs + 1) * batch];
    relu1 = new RectifiedLinear(h1.array(), h1.array(), 0.0);
    relu2 = new RectifiedLinear(h2.array(), h2.array(), 0.0);
    Matrix isOn1 = Matrix.zeros(batch, hidden1 + 1);
    Matrix isOn2 = Matrix.zeros(batch, hidden2 + 1);
    on1 = new Step(h1.array(), isOn1.array(), 0.0);
    on2 = new Step(h2.array(), isOn2.array(), 0.0);
    mask1 = new MulOp(dh1.array(), isOn1.array(), dh1.array());
    mask2 = new MulOp(dh2.array(), isOn2.array(), dh2.array());
  }

  /**
   * @param input [inputs][batch]
   * @return [batch], valid until the next call
   */
  float[] forward(Parameters p, float[] input) {
    x.write(input);
    z1.product(x, p.w1);
    run(relu1);
    z2.product(h1, p.w2);
    run(relu2);
    y.product(h2, p.w3);
    y.read(values);
    return values;
  }

  /**
   * Back-propagates to the hidden layers, after {@link #forward}.
   *
   * @param outputGradient [batch]
   */
  void backward(Parameters p, float[] outputGradient) {
    dy.write(outputGradient);
    dh2.productTransposedSecond(dy, p.w3);
    run(on2);
    Nd4j.getExecutioner().exec(mask2);
    dh1.productTransposedSecond(dz2, p.w2);
    run(on1);
    Nd4j.getExecutioner().exec(mask1);
  }

  /** The loss's gradient with respect to the parameters, after {@link #backward}. */
  void parameterGradient(Parameters gradient) {
    gradient.w1.productTransposedFirst(x, dz1);
    gradient.w2.productTransposedFirst(h1, dz2);
    gradient.w3.productTransposedFirst(h2, dy);
  }

  /**
   * The loss's gradient with respect to one input, after {@link #backward}.
   *
   * @return [batch]
   */
  float[] inputGradient(Parameters p, int input) {
    dx.productTransposedSecond(dz1, p.w1);
    dx.read(inputGradient);
    return Arrays.copyOfRange(inputGradient, input * batch, (input + 1) * batch);
  }

  private static void run(Op operation) {
    Nd4j.getExecutioner().exec(operation);
  }

  /** Zeros, and one more column of ones. */
  private static Matrix withOnes(int rows, int columns) {
    Matrix matrix = Matrix.zeros(rows, columns + 1);
    float[] values = new float[rows * (columns + 1)];
    Arrays.fill(values, rows * columns, values.length, 1);
    matrix.write(values);
    return matrix;
  }
}
