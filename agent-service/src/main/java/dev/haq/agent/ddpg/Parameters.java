package dev.haq.agent.ddpg;

import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The parameters of a perceptron with two hidden layers, or their gradient: one vector, seen as
 * three matrices. A bias is its matrix's last row, which meets a column of ones.
 */
final class Parameters {
  final Matrix w1; // [inputs + 1, hidden1]
  final Matrix w2; // [hidden1 + 1, hidden2]
  final Matrix w3; // [hidden2 + 1, 1]
  private final Matrix all; // [size, 1]
  private final int size;

  Parameters(int inputs, int hidden1, int hidden2) {
    int size1 = (inputs + 1) * hidden1;
    int size2 = (hidden1 + 1) * hidden2;
    size = size1 + size2 + hidden2 + 1;
    INDArray vector = Matrix.vector(size);
    w1 = Matrix.of(vector, 0, inputs + 1, hidden1);
    w2 = Matrix.of(vector, size1, hidden1 + 1, hidden2);
    w3 = Matrix.of(vector, size1 + size2, hidden2 + 1, 1);
    all = Matrix.of(vector, 0, size, 1);
  }

  int size() {
    return size;
  }

  void read(float[] into) {
    all.read(into);
  }

  void write(float[] from) {
    all.write(from);
  }
}
