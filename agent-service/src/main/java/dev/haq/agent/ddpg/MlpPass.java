package dev.haq.agent.ddpg;

import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.scalar.Step;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * Memory for sending one batch through an {@link Mlp} and back, used over and over.
 *
 * <p>All matrices are column-major and preallocated, and each hidden layer's last column is ones,
 * so that a layer is one matrix product: what runs fastest on ND4J.
 */
final class MlpPass {
  private final int batch;
  private final float[] values; // [batch]

  private final INDArray x; // [batch, inputs + 1]
  private final INDArray h1; // [batch, hidden1 + 1]
  private final INDArray h2; // [batch, hidden2 + 1]
  private final INDArray y; // [batch, 1]
  private final INDArray z1; // [batch, hidden1], of h1
  private final INDArray z2; // [batch, hidden2], of h2

  private final INDArray dy; // [batch, 1]
  private final INDArray dh2; // [batch, hidden2 + 1]
  private final INDArray dh1; // [batch, hidden1 + 1]
  private final INDArray dx; // [batch, inputs + 1]
  private final INDArray dz1; // [batch, hidden1], of dh1
  private final INDArray dz2; // [batch, hidden2], of dh2
  private final INDArray on1; // [batch, hidden1 + 1], which units of h1 were on
  private final INDArray on2; // [batch, hidden2 + 1]
  private final float[] inputGradient; // [inputs + 1][batch]

  MlpPass(int batch, int inputs, int hidden1, int hidden2) {
    this.batch = batch;
    values = new float[batch];
    x = withOnes(batch, inputs);
    h1 = withOnes(batch, hidden1);
    h2 = withOnes(batch, hidden2);
    y = zeros(batch, 1);
    z1 = Parameters.columnMajor(h1, 0, batch, hidden1);
    z2 = Parameters.columnMajor(h2, 0, batch, hidden2);
    dy = zeros(batch, 1);
    dh2 = zeros(batch, hidden2 + 1);
    dh1 = zeros(batch, hidden1 + 1);
    dx = zeros(batch, inputs + 1);
    dz1 = Parameters.columnMajor(dh1, 0, batch, hidden1);
    dz2 = Parameters.columnMajor(dh2, 0, batch, hidden2);
    on1 = zeros(batch, hidden1 + 1);
    on2 = zeros(batch, hidden2 + 1);
    inputGradient = new float[(inputs + 1) * batch];
  }

  /**
   * @param input [inputs][batch]
   * @return [batch], valid until the next call
   */
  float[] forward(Parameters p, float[] input) {
    Parameters.write(input, x);
    gemm(x, p.w1, z1, false, false);
    Transforms.relu(z1, false);
    gemm(h1, p.w2, z2, false, false);
    Transforms.relu(z2, false);
    gemm(h2, p.w3, y, false, false);
    Parameters.read(y, values);
    return values;
  }

  /**
   * Back-propagates to the hidden layers, after {@link #forward}.
   *
   * @param outputGradient [batch]
   */
  void backward(Parameters p, float[] outputGradient) {
    Parameters.write(outputGradient, dy);
    gemm(dy, p.w3, dh2, false, true);
    reluBackward(h2, dh2, on2);
    gemm(dz2, p.w2, dh1, false, true);
    reluBackward(h1, dh1, on1);
  }

  /** The loss's gradient with respect to the parameters, after {@link #backward}. */
  void parameterGradient(Parameters gradient) {
    gemm(x, dz1, gradient.w1, true, false);
    gemm(h1, dz2, gradient.w2, true, false);
    gemm(h2, dy, gradient.w3, true, false);
  }

  /**
   * The loss's gradient with respect to one input, after {@link #backward}.
   *
   * @return [batch]
   */
  float[] inputGradient(Parameters p, int input) {
    gemm(dz1, p.w1, dx, false, true);
    Parameters.read(dx, inputGradient);
    return Arrays.copyOfRange(inputGradient, input * batch, (input + 1) * batch);
  }

  /** Lets the gradient through where the unit was on. */
  private static void reluBackward(INDArray h, INDArray dh, INDArray on) {
    Nd4j.getExecutioner().exec(new Step(h, on, 0.0)); // 1 where h > 0
    dh.muli(on);
  }

  private static void gemm(
      INDArray a, INDArray b, INDArray c, boolean transposeA, boolean transposeB) {
    Nd4j.gemm(a, b, c, transposeA, transposeB, 1, 0);
  }

  private static INDArray zeros(int rows, int columns) {
    return Nd4j.create(DataType.FLOAT, new long[] {rows, columns}, 'f');
  }

  /** Zeros, and one more column of ones. */
  private static INDArray withOnes(int rows, int columns) {
    INDArray array = zeros(rows, columns + 1);
    Parameters.columnMajor(array, (long) rows * columns, rows, 1).assign(1);
    return array;
  }
}
